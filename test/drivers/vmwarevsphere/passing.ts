/** Requests passed on to the simulator, and its answers. */
import type { IncomingMessage } from "node:http";

const headersKept = ["content-type", "cookie", "soapaction", "vmware-api-session-id", "authorization"];

export interface Passed {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** @param dead cookies of sessions that have ended, which are left out */
export async function passOn(
  url: string,
  request: IncomingMessage,
  body: string | Buffer,
  dead: ReadonlySet<string>,
): Promise<Passed> {
  const headers: Record<string, string> = {};
  for (const name of headersKept) {
    const value = request.headers[name];
    if (typeof value === "string" && !(name === "cookie" && dead.has(value))) headers[name] = value;
  }
  const { method = "GET" } = request;
  const sent = method === "GET" || method === "HEAD" ? {} : { body: typeof body === "string" ? body : Uint8Array.from(body) };
  const answer = await fetch(url, { method, headers, ...sent });
  const kept = ["content-type", "set-cookie"].flatMap((name) => {
    const value = answer.headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  return { status: answer.status, headers: Object.fromEntries(kept), body: Buffer.from(await answer.arrayBuffer()) };
}
