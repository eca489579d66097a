/** What was asked of an OpenStack and what it answered, as data: to hold the fake against a real one. */
import type { HttpTransport } from "../../../src/driver-kit/http-transport.ts";

export interface RecordedExchange {
  readonly service: string;
  readonly method: string;
  /** Behind the service's own beginning, identifiers in it replaced by `ID`. */
  readonly path: string;
  readonly status: number;
  /** Its JSON, or its text. */
  readonly answer: unknown;
}

/** How each service is told from an address, and what of the path is its own. A real one has ports, the fake has folders. */
const services: readonly (readonly [service: string, beginning: RegExp])[] = [
  ["identity", /^(?::5000|\/identity)\/v3/u],
  ["compute", /^(?::8774|\/compute)\/v2\.1/u],
  ["network", /^(?::9696|\/network)\/v2\.0/u],
  ["image", /^(?::9292|\/image)\/v2/u],
  ["volume", /^(?::8776|\/volume)\/v3\/[0-9a-f]{32}/u],
];

const uuid = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/gu;
const project = /[0-9a-f]{32}/gu;
const secretKeys = new Set(["adminPass", "user_data", "public_key"]);

/** The same transport, with all exchanges written down. */
export function recordingHttp(http: HttpTransport, into: RecordedExchange[]): HttpTransport {
  return {
    send: async (request, signal) => {
      const answer = await http.send(request, signal);
      const { port, pathname } = new URL(request.url);
      const whole = /^\/(?:identity|compute|network|image|volume)\//u.test(pathname) ? pathname : `:${port}${pathname}`;
      const [service, beginning] = services.find(([, each]) => each.test(whole)) ?? ["unknown", /^/u];
      const path = whole.replace(beginning, "").replaceAll(uuid, "ID").replaceAll(project, "PROJECT") || "/";
      into.push({ service, method: request.method, path: named(path), status: answer.status, answer: contentOf(answer.text) });
      return answer;
    },
    agent: async () => await http.agent(),
    trusting: (trust) => recordingHttp(http.trusting(trust), into),
    fingerprint: async (url, signal) => await http.fingerprint(url, signal),
  };
}

/** Key pairs are addressed by their names. */
function named(path: string): string {
  return path.replace(/^\/os-keypairs\/.+$/u, "/os-keypairs/NAME");
}

function contentOf(text: string): unknown {
  try {
    return JSON.parse(text, (key, value: unknown) => (secretKeys.has(key) ? "-" : value));
  } catch {
    return text;
  }
}

/** One of each request, status and form of answer. */
export function distinct(exchanges: readonly RecordedExchange[]): readonly RecordedExchange[] {
  const seen = new Map(exchanges.map((each) => [`${keyOf(each)} ${JSON.stringify(formOf(each.answer))}`, each]));
  return [...seen.values()];
}

export function keyOf({ service, method, path, status }: RecordedExchange): string {
  return `${service} ${method} ${path} ${status}`;
}

/** Names and types of a value's members; of a list its first. */
export type Form = string | { readonly [name: string]: Form } | readonly Form[];

export function formOf(value: unknown): Form {
  if (Array.isArray(value)) return value.slice(0, 1).map(formOf);
  if (typeof value !== "object" || value === null) return value === null ? "null" : typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, formOf(one)]));
}

/** Maps whose names are the user's own, or the network's. */
const freeNames = new Set(["metadata", "extra_specs", "addresses", "quota", "absolute"]);

/** Where a form has what another has not, in words: `/server/status is number, not string`. */
export function strangeIn(given: Form, real: Form, at = ""): readonly string[] {
  if (typeof given === "string" || typeof real === "string") {
    const fits = given === real || given === "null" || real === "null";
    return fits ? [] : [`${at || "/"} is ${wordFor(given)}, not ${wordFor(real)}`];
  }
  if (Array.isArray(given) || Array.isArray(real)) {
    if (!Array.isArray(given) || !Array.isArray(real)) return [`${at || "/"} is ${wordFor(given)}, not ${wordFor(real)}`];
    const [one, other] = [(given as readonly Form[])[0], (real as readonly Form[])[0]];
    return one === undefined || other === undefined ? [] : strangeIn(one, other, `${at}[]`);
  }
  const theirs = real as Readonly<Record<string, Form>>;
  return Object.entries(given).flatMap(([name, form]) => {
    const other = theirs[name];
    if (other !== undefined) return strangeIn(form, other, `${at}/${name}`);
    return freeNames.has(at.split("/").at(-1) ?? "") || name.endsWith("_links") || name === "next" || name === "fault"
      ? []
      : [`${at}/${name} is not there`];
  });
}

function wordFor(form: Form): string {
  return typeof form === "string" ? form : Array.isArray(form) ? "a list" : "an object";
}
