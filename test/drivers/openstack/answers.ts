/** Requests and answers of the fake OpenStack, and how each service words a refusal. */

export interface Exchange {
  readonly method: string;
  /** Behind the service's own beginning: `/servers/detail`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
  /** N of Nova's 2.N; 1 where the request names none. */
  readonly version: number;
}

export interface Answer {
  readonly status: number;
  /** A text is sent as it is, as HTML. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Json = Readonly<Record<string, unknown>>;

/** What answers which request: `METHOD /path`; the parts of the path in brackets are given in their order. */
export type Route = readonly [
  pattern: RegExp,
  answer: (exchange: Exchange, first: string, second: string) => Answer | Promise<Answer>,
];

export async function routed(routes: readonly Route[], exchange: Exchange): Promise<Answer | undefined> {
  for (const [pattern, answer] of routes) {
    const found = pattern.exec(`${exchange.method} ${exchange.path}`);
    if (found !== null) return await answer(exchange, decodeURIComponent(found[1] ?? ""), decodeURIComponent(found[2] ?? ""));
  }
  return undefined;
}

export function ok(body: object, status = 200): Answer {
  return { status, body };
}

export const nothing: Answer = { status: 204 };

/** What Nova and Cinder call a status. */
const statusNames: Readonly<Record<number, string>> = {
  400: "badRequest",
  403: "forbidden",
  404: "itemNotFound",
  409: "conflictingRequest",
  413: "overLimit",
  500: "computeFault",
};

export function refusedByNova(status: number, message: string): Answer {
  return { status, body: { [statusNames[status] ?? "computeFault"]: { code: status, message } } };
}

export function refusedByNeutron(status: number, type: string, message: string): Answer {
  return { status, body: { NeutronError: { type, message, detail: "" } } };
}

export function refusedByKeystone(status: number, title: string, message: string): Answer {
  return { status, body: { error: { code: status, title, message } } };
}

export function refusedByGlance(status: number, title: string, message: string): Answer {
  return { status, body: { message: `${message}<br /><br />\n\n\n`, code: `${status} ${title}`, title } };
}

export function fieldsOf(value: unknown): Json {
  return (value ?? {}) as Json;
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Nova's words for what it did not foresee. */
export const broken = refusedByNova(500, "Unexpected API Error. Please report this at http://bugs.launchpad.net/nova/");
