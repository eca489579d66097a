/** Thin client of the Engine API over TLS: whether an engine answers, and its version. */
import { request } from "node:https";

export interface EngineEndpoint {
  /** `tcp://HOST:PORT`. */
  readonly url: string;
  readonly caCertificate: string;
  readonly certificate: string;
  readonly key: string;
  readonly timeoutMs: number;
}

function get(endpoint: EngineEndpoint, path: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const { caCertificate: ca, certificate: cert, key, timeoutMs: timeout } = endpoint;
    const url = new URL(endpoint.url.replace("tcp:", "https:") + path);
    const sent = request(url, { ca, cert, key, timeout, signal, agent: false }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => resolve(text));
    });
    sent.on("error", reject);
    sent.on("timeout", () => sent.destroy(new Error("i/o timeout")));
    sent.end();
  });
}

export async function checkTls(endpoint: EngineEndpoint, signal: AbortSignal): Promise<void> {
  await get(endpoint, "/_ping", signal);
}

export async function fetchEngineVersion(endpoint: EngineEndpoint, signal: AbortSignal): Promise<string> {
  return (JSON.parse(await get(endpoint, "/version", signal)) as { Version: string }).Version;
}
