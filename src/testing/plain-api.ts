/**
 * The API of a fake provider that stands for none in particular. Every kind of resource has a folder, `instance` has
 * `/instances`:
 *
 *     POST   /instances                 {name, mark, uses?, …}     201, the resource; the same again for the same mark and name
 *     GET    /instances?mark=&name=&page=                          200, {items, next?}: next is the path of the next page
 *     GET    /instances/ID                                         200, the resource
 *     POST   /instances/ID/start|stop|kill|restart                 200, the resource
 *     DELETE /instances/ID                                         204
 *
 * A resource is `{id, name, mark, status, address, uses, …}`; an error `{code, message}`. The token is a bearer's.
 */
import type { FakeAccount, FakeAnswer, FakeApi, FakeRequest } from "./fake-api.ts";
import { Refusal, type FakeResource, type InstanceAction } from "./fake-resources.ts";

const pageSize = 3;
const actions: ReadonlySet<string> = new Set<InstanceAction>(["start", "stop", "kill", "restart"]);

export const plainApi: FakeApi = {
  refuse: (status, code, message) => ({ status, body: { code, message } }),
  answer: (request, provider) => {
    if (provider.token !== undefined && request.headers.authorization !== `Bearer ${provider.token}`)
      return plainApi.refuse(401, "bad-token", "This token is not known");
    try {
      return carryOut(request, provider);
    } catch (error) {
      if (error instanceof Refusal) return plainApi.refuse(error.code === "no-capacity" ? 503 : 409, error.code, error.message);
      return plainApi.refuse(400, "bad-request", error instanceof Error ? error.message : String(error));
    }
  },
};

function carryOut(request: FakeRequest, provider: FakeAccount): FakeAnswer {
  const { method, path } = request;
  const [, folder = "", id, action] = path.split("/");
  const kind = folder.replace(/s$/u, "");
  if (id === undefined) return method === "POST" ? create(kind, request, provider) : list(kind, request, provider);
  const found = provider.resources.look(kind, id);
  if (found === undefined) return plainApi.refuse(404, "not-found", `There is no ${kind} ${id}`);
  if (method === "DELETE") {
    provider.resources.remove(found);
    return { status: 204 };
  }
  if (action !== undefined && actions.has(action)) provider.resources.act(found, action as InstanceAction);
  return { status: 200, body: shown(found) };
}

function create(kind: string, { text }: FakeRequest, { resources }: FakeAccount): FakeAnswer {
  const { name, mark, uses, ...fields } = JSON.parse(text) as Record<string, unknown> & { uses?: readonly string[] };
  if (typeof name !== "string" || typeof mark !== "string") throw new Error("name and mark are needed");
  const token = mark === "" ? undefined : `${mark}/${name}`;
  return { status: 201, body: shown(resources.make({ kind, name, mark, token, uses, fields })) };
}

function list(kind: string, { query }: FakeRequest, { resources }: FakeAccount): FakeAnswer {
  const wanted = (one: FakeResource): boolean =>
    (["mark", "name"] as const).every((key) => !query.has(key) || query.get(key) === one[key]);
  const found = resources.list(kind).filter(wanted);
  const begin = Number(query.get("page") ?? 0) * pageSize;
  const following = new URLSearchParams(query);
  following.set("page", String(begin / pageSize + 1));
  const next = found.length > begin + pageSize ? { next: `/${kind}s?${following.toString()}` } : {};
  return { status: 200, body: { items: found.slice(begin, begin + pageSize).map(shown), ...next } };
}

function shown({ id, name, mark, status, address, uses, fields }: FakeResource): object {
  return { ...fields, id, name, mark, status, address, uses };
}
