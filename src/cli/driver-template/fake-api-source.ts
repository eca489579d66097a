/** `src/fake-api.ts` of a new driver's project. */
export const fakeApiSource = `/** The provider in miniature, for tests: instances in memory behind the real HTTP API. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Action, Instance, NewInstance } from "./api.ts";

export const fakeToken = "fake-token";

type Stored = { -readonly [Key in keyof Instance]: Instance[Key] } & NewInstance;

const statusAfter: Record<Action, Instance["status"]> = { start: "running", restart: "running", stop: "stopped", kill: "stopped" };

export interface FakeApi {
  readonly endpoint: string;
  readonly instances: ReadonlyMap<string, Instance & NewInstance>;
}

/** Ends with the process. */
export async function startFakeApi(): Promise<FakeApi> {
  const instances = new Map<string, Stored>();
  const server = createServer(async (request, response) => {
    const [status, body] = answer(request, await bodyOf(request), instances);
    response.writeHead(status, { "content-type": "application/json" }).end(body === undefined ? "" : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  return { endpoint: \`http://127.0.0.1:\${(server.address() as AddressInfo).port}\`, instances };
}

function answer(request: IncomingMessage, body: string, instances: Map<string, Stored>): [status: number, body?: unknown] {
  if (request.headers.authorization !== \`Bearer \${fakeToken}\`) return [401, { message: "bad token" }];
  const url = new URL(request.url ?? "/", "http://fake");
  const [, , id, action] = url.pathname.split("/");
  if (id === undefined) return request.method === "POST" ? [201, create(body, instances)] : [200, list(url, instances)];
  const instance = instances.get(id);
  if (instance === undefined) return [404, { message: "no such instance" }];
  if (request.method === "DELETE") return [instances.delete(id) ? 204 : 404];
  if (action !== undefined) instance.status = statusAfter[action as Action];
  // It has come up by the next time that somebody looks.
  else if (instance.status === "starting") Object.assign(instance, { status: "running", address: "192.0.2.10" });
  return [200, instance];
}

function create(body: string, instances: Map<string, Stored>): Stored {
  const instance: Stored = { ...(JSON.parse(body) as NewInstance), id: \`i-\${instances.size + 1}\`, status: "starting", address: "" };
  instances.set(instance.id, instance);
  return instance;
}

function list(url: URL, instances: Map<string, Stored>): Stored[] {
  return [...instances.values()].filter((instance) => instance.label === url.searchParams.get("label"));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
`;
