/**
 * A resource manager in this process: what is put has to be whole, named as the vendor names it, and refer to what is
 * there; work is an operation that ends after so many looks; what is in use does not go. Speaks through `FakeProvider`,
 * which has the vices of a network.
 */
import { randomUUID } from "node:crypto";
import type { Resource } from "../../../src/driver-kit/driver.ts";
import type { FakeAccount, FakeAnswer, FakeApi, FakeRequest } from "../../../src/testing/fake-api.ts";
import {
  ArmRefusal,
  addressOf,
  inUseCode,
  newEntry,
  nicsOf,
  propertiesOf,
  referencesOf,
  tagsOf,
  type ArmFailure,
  type FakeEntry,
  type Json,
} from "./arm-entry.ts";
import { shownForm } from "./arm-form.ts";
import { imageAnswer } from "./image-answer.ts";
import { answerForTokens } from "./token-service.ts";
import { locations, sizes, skuOf, subscriptionId, tenantId, usages } from "./catalogue.ts";
import { whatIsWrong } from "./body-rules.ts";

/** Versions that this resource manager takes, by type in lower case. */
const versions: Readonly<Record<string, string>> = {
  "microsoft.compute/virtualmachines": "2024-07-01",
  "microsoft.compute/availabilitysets": "2024-07-01",
  "microsoft.compute/disks": "2024-03-02",
  "microsoft.network/networkinterfaces": "2024-05-01",
  "microsoft.network/publicipaddresses": "2024-05-01",
  "microsoft.network/networksecuritygroups": "2024-05-01",
  "microsoft.network/virtualnetworks": "2024-05-01",
  "microsoft.network/virtualnetworks/subnets": "2024-05-01",
};

/** As the driver names them. */
const kinds: Readonly<Record<string, string>> = {
  "microsoft.compute/virtualmachines": "instance",
  "microsoft.compute/availabilitysets": "availability-set",
  "microsoft.compute/disks": "disk",
  "microsoft.network/networkinterfaces": "network-interface",
  "microsoft.network/publicipaddresses": "public-address",
  "microsoft.network/networksecuritygroups": "security-group",
  "microsoft.network/virtualnetworks": "virtual-network",
  "microsoft.network/virtualnetworks/subnets": "subnet",
};

interface Operation {
  looks: number;
  readonly finish: () => ArmFailure | undefined;
  ended: boolean;
  failure: ArmFailure | undefined;
}

export const fakeToken = "token-of-the-fake";

export class FakeAzure implements FakeApi {
  /** By identifier in lower case. */
  readonly entries = new Map<string, FakeEntry>();
  readonly groups = new Map<string, Json>();
  readonly registered = new Set(["Microsoft.Compute", "Microsoft.Network"]);
  subscriptionState = "Enabled";
  takenLabels: readonly string[] = [];
  /** What of some quotas is used, in the place of the catalogue's figures. */
  usage: Readonly<Record<string, number>> = {};
  /** How often an operation is looked at before it has ended. */
  looks = 1;
  /** How long an operation asks to be left alone, in seconds. */
  retryAfter = 1;
  /** What the next virtual machines fail with, while they start. */
  machineFailures: ArmFailure[] = [];
  /** What the next `start` fails with. */
  startFailures: ArmFailure[] = [];
  /** Deletions of an interface that are refused after its machine has failed. */
  reservations = 0;
  /** Lists by tag that do not show what is new. */
  lateLists = 0;
  readonly #operations = new Map<string, Operation>();
  #made = 0;

  refuse(status: number, code: string, message: string): FakeAnswer {
    return { status, body: { error: { code, message } } };
  }

  answer(request: FakeRequest, provider: FakeAccount): FakeAnswer {
    try {
      return this.#answer(request, provider);
    } catch (error) {
      if (error instanceof ArmRefusal) return this.refuse(error.status, error.code, error.message);
      return this.refuse(500, "InternalServerError", String(error));
    }
  }

  /** All there is but groups, of everyone. */
  list(): readonly Resource[] {
    return [...this.entries.values()].map(({ id, type }) => ({ kind: kinds[type] ?? type, id }));
  }

  entry(id: string): FakeEntry | undefined {
    return this.entries.get(id.toLowerCase());
  }

  one(kind: string): FakeEntry {
    const found = [...this.entries.values()].find(({ type }) => kinds[type] === kind);
    if (found === undefined) throw new Error(`there is no ${kind}`);
    return found;
  }

  /** Something of others. */
  add(id: string, body: Json): FakeEntry {
    const entry = newEntry(id, body);
    entry.state = "Succeeded";
    this.entries.set(id.toLowerCase(), entry);
    return entry;
  }

  /** What hardware would have to be. */
  machines(): readonly { readonly id: string; readonly isOn: boolean; readonly userData: string; readonly reboots: number }[] {
    const started = [...this.entries.values()].filter(({ type, power }) => type.endsWith("/virtualmachines") && power !== "");
    return started.map(({ id, body, power, reboots }) => {
      const { customData } = propertiesOf(body)["osProfile"] as { customData: string };
      return { id, isOn: power === "running", userData: Buffer.from(customData, "base64").toString("utf8"), reboots };
    });
  }

  /** Where the hardware of a virtual machine is. */
  place(id: string, address: string): void {
    const machine = this.entry(id);
    const nic = machine === undefined ? undefined : this.entry(nicsOf(machine)[0]?.id ?? "");
    const shown = nic === undefined ? undefined : this.entry(addressOf(nic)?.id ?? "");
    if (shown !== undefined) shown.address = address;
  }

  /** Somebody else deletes it, with what goes with it. */
  lose(id: string): void {
    const entry = this.entry(id);
    if (entry !== undefined) this.#finishDelete(entry);
  }

  #answer(request: FakeRequest, provider: FakeAccount): FakeAnswer {
    const token = answerForTokens(request, provider.url, fakeToken);
    if (token !== undefined) return token;
    if (request.headers.authorization !== `Bearer ${fakeToken}`) return this.#unauthorized();
    const { path, query, method } = request;
    if (!query.has("api-version"))
      throw new ArmRefusal(400, "MissingApiVersionParameter", "The api-version query parameter is required");
    const operation = /\/operations\/([^/]+)$/u.exec(path)?.[1];
    if (operation !== undefined) return this.#look(operation);
    const below = path.slice(`/subscriptions/${subscriptionId}`.length);
    if (!path.startsWith(`/subscriptions/${subscriptionId}`))
      throw new ArmRefusal(404, "SubscriptionNotFound", "The subscription could not be found.");
    const group = /^\/resourceGroups\/([^/]+)$/iu.exec(below)?.[1];
    if (group !== undefined) return this.#group(method, group, request);
    const found = /^\/resourceGroups\/([^/]+)\/providers\/(.+)$/iu.exec(below);
    return found === null
      ? this.#catalogue(method, below, query)
      : this.#resource(request, provider, found[1] ?? "", found[2] ?? "");
  }

  #unauthorized(): FakeAnswer {
    const authority = `Bearer authorization_uri="https://login.microsoftonline.com/${tenantId}", error="invalid_token"`;
    return {
      ...this.refuse(401, "InvalidAuthenticationToken", "The access token is invalid."),
      headers: { "www-authenticate": authority },
    };
  }

  #group(method: string, name: string, { text }: FakeRequest): FakeAnswer {
    const found = this.groups.get(name.toLowerCase());
    if (method === "PUT") {
      this.groups.set(name.toLowerCase(), JSON.parse(text) as Json);
      return { status: found === undefined ? 201 : 200, body: { name, properties: { provisioningState: "Succeeded" } } };
    }
    if (found === undefined) throw new ArmRefusal(404, "ResourceGroupNotFound", `Resource group '${name}' could not be found.`);
    return { status: 200, body: { ...found, name, properties: { provisioningState: "Succeeded" } } };
  }

  #catalogue(method: string, path: string, query: URLSearchParams): FakeAnswer {
    const namespace = /^\/providers\/([^/]+)(\/register)?$/u.exec(path);
    if (namespace !== null) return this.#provider(namespace[1] ?? "", method === "POST");
    const value = this.#listAt(path, query);
    if (value !== undefined) return { status: 200, body: { value } };
    if (path === "") return { status: 200, body: { subscriptionId, state: this.subscriptionState } };
    if (path.endsWith("/CheckDnsNameAvailability"))
      return { status: 200, body: { available: !this.takenLabels.includes(query.get("domainNameLabel") ?? "") } };
    const image =
      /\/locations\/[^/]+\/publishers\/([^/]+)\/artifacttypes\/vmimage\/offers\/([^/]+)\/skus\/([^/]+)\/versions(?:\/([^/]+))?$/u;
    const [, ...urn] = image.exec(path) ?? [];
    if (urn.length > 0) return imageAnswer(urn, query);
    throw new ArmRefusal(404, "NotFound", `There is no ${path}`);
  }

  #listAt(path: string, query: URLSearchParams): readonly object[] | undefined {
    if (path === "/locations") return locations;
    if (path === "/resources") return this.#tagged(query.get("$filter") ?? "");
    if (path.endsWith("/usages"))
      return usages.map((one) => ({ ...one, currentValue: this.usage[one.name.value] ?? one.currentValue }));
    if (path !== "/providers/Microsoft.Compute/skus") return undefined;
    const location = /^location eq '(.+)'$/u.exec(query.get("$filter") ?? "")?.[1];
    if (location === undefined) throw new ArmRefusal(400, "InvalidFilter", "The filter is wrong");
    return [...sizes.map(skuOf), { resourceType: "disks", name: "Premium_LRS" }];
  }

  #provider(namespace: string, register: boolean): FakeAnswer {
    if (register) this.registered.add(namespace);
    return {
      status: 200,
      body: { namespace, registrationState: this.registered.has(namespace) ? "Registered" : "NotRegistered" },
    };
  }

  #tagged(filter: string): readonly object[] {
    const [, name = "", value = ""] = /^tagName eq '(.+)' and tagValue eq '(.+)'$/u.exec(filter) ?? [];
    if (name === "") throw new ArmRefusal(400, "InvalidFilterInQueryString", "The filter is wrong");
    if (this.lateLists > 0) {
      this.lateLists -= 1;
      return [];
    }
    const found = [...this.entries.values()].filter(({ body }) => tagsOf(body)[name] === value);
    return found.map(({ id, type }) => ({ id, type, name: id.split("/").at(-1) }));
  }

  #resource(request: FakeRequest, provider: FakeAccount, group: string, rest: string): FakeAnswer {
    const { method, path } = request;
    const parts = rest.split("/");
    const action = method === "POST" ? parts.pop() : undefined;
    const type = [parts[0], ...parts.slice(1).filter((_part, at) => at % 2 === 0)].join("/").toLowerCase();
    if (versions[type] === undefined) throw new ArmRefusal(400, "InvalidResourceType", `There is no type ${type}`);
    if (versions[type] !== request.query.get("api-version"))
      throw new ArmRefusal(400, "InvalidApiVersionParameter", `${type} is not asked by ${request.query.get("api-version")}`);
    if (!this.groups.has(group.toLowerCase()))
      throw new ArmRefusal(404, "ResourceGroupNotFound", `Resource group '${group}' could not be found.`);
    const id = action === undefined ? path : path.slice(0, -action.length - 1);
    const found = this.entry(id);
    if (method === "PUT") return this.#put(id, type, found, request, provider);
    if (method === "DELETE") return found === undefined ? { status: 204 } : this.#delete(found, provider);
    if (found === undefined) throw new ArmRefusal(404, "ResourceNotFound", `The Resource '${id}' was not found.`);
    if (method === "GET") return { status: 200, body: this.#shown(found) };
    if (method === "PATCH") return this.#patch(found, request);
    return this.#act(found, action ?? "", request, provider);
  }

  #put(id: string, type: string, found: FakeEntry | undefined, request: FakeRequest, provider: FakeAccount): FakeAnswer {
    if (found !== undefined && request.headers["if-none-match"] === "*")
      throw new ArmRefusal(412, "PreconditionFailed", "The resource exists");
    if (found?.state === "Deleting") throw new ArmRefusal(409, "AnotherOperationInProgress", "It is being deleted");
    const body = JSON.parse(request.text) as Json;
    const wrong = whatIsWrong(type, id, body, this);
    if (wrong !== undefined) throw wrong;
    const entry = found ?? newEntry(id, body);
    entry.body = body;
    entry.state = found === undefined ? "Creating" : "Updating";
    this.entries.set(id.toLowerCase(), entry);
    this.#putSubnets(entry);
    const failure = entry.type.endsWith("/virtualmachines") && found === undefined ? this.machineFailures.shift() : undefined;
    const headers = this.#begin(provider, () => this.#finishPut(entry, failure));
    return { status: found === undefined ? 201 : 200, body: this.#shown(entry), headers };
  }

  /** Those of a network are as the request has them. */
  #putSubnets(network: FakeEntry): void {
    if (!network.type.endsWith("/virtualnetworks")) return;
    for (const subnet of propertiesOf(network.body)["subnets"] as Json[])
      if (this.entry(`${network.id}/subnets/${String(subnet["name"])}`) === undefined)
        this.add(`${network.id}/subnets/${String(subnet["name"])}`, subnet);
  }

  #finishPut(entry: FakeEntry, failure: ArmFailure | undefined): ArmFailure | undefined {
    entry.state = failure === undefined ? "Succeeded" : "Failed";
    if (failure !== undefined) return failure;
    this.#made += 1;
    if (entry.type.endsWith("/publicipaddresses") && entry.address === "") entry.address = `192.0.2.${this.#made % 250}`;
    if (entry.type.endsWith("/networkinterfaces") && entry.address === "") entry.address = `192.168.0.${(this.#made % 250) + 4}`;
    if (!entry.type.endsWith("/virtualmachines")) return undefined;
    entry.power = "running";
    const disk = (propertiesOf(entry.body)["storageProfile"] as { osDisk: { name: string } }).osDisk.name;
    const diskId = entry.id.replace(/\/virtualMachines\/[^/]+$/u, `/disks/${disk}`);
    if (this.entry(diskId) === undefined) this.add(diskId, { location: entry.body["location"], properties: {} });
    return undefined;
  }

  #patch(found: FakeEntry, { text }: FakeRequest): FakeAnswer {
    found.body = { ...found.body, ...(JSON.parse(text) as Json) };
    return { status: 200, body: this.#shown(found) };
  }

  #delete(found: FakeEntry, provider: FakeAccount): FakeAnswer {
    const user = this.#userOf(found);
    if (user !== undefined) throw new ArmRefusal(400, inUseCode(found), `${found.id} is used by ${user.id}`);
    if (found.type.endsWith("/networkinterfaces") && this.reservations > 0) {
      this.reservations -= 1;
      throw new ArmRefusal(400, "NicReservedForAnotherVm", "Nic is reserved for another VM for 180 seconds.");
    }
    if (found.state === "Creating" && !found.type.endsWith("/virtualmachines"))
      throw new ArmRefusal(409, "AnotherOperationInProgress", "It is being made");
    found.state = "Deleting";
    return { status: 202, headers: this.#begin(provider, () => this.#finishDelete(found)) };
  }

  #finishDelete(entry: FakeEntry): undefined {
    this.entries.delete(entry.id.toLowerCase());
    if (entry.type.endsWith("/virtualnetworks"))
      for (const id of this.entries.keys()) if (id.startsWith(`${entry.id.toLowerCase()}/`)) this.entries.delete(id);
    if (!entry.type.endsWith("/virtualmachines")) return undefined;
    // What the body says is to go with it.
    for (const nic of nicsOf(entry)) {
      const found = this.entry(nic.id);
      if (nic.properties?.deleteOption !== "Delete" || found === undefined) continue;
      this.entries.delete(nic.id.toLowerCase());
      const address = addressOf(found);
      if (address?.properties?.deleteOption === "Delete") this.entries.delete(address.id.toLowerCase());
    }
    const { osDisk } = propertiesOf(entry.body)["storageProfile"] as { osDisk: { name: string; deleteOption?: string } };
    if (osDisk.deleteOption === "Delete")
      this.entries.delete(entry.id.replace(/\/virtualMachines\/[^/]+$/u, `/disks/${osDisk.name}`).toLowerCase());
    return undefined;
  }

  /** What keeps it from going. */
  #userOf(entry: FakeEntry): FakeEntry | undefined {
    const id = entry.id.toLowerCase();
    return [...this.entries.values()].find((other) => {
      const used = referencesOf(other).map((one) => one.toLowerCase());
      const isWithin = entry.type.endsWith("/virtualnetworks") && used.some((one) => one.startsWith(`${id}/`));
      return other !== entry && (used.includes(id) || isWithin);
    });
  }

  #act(found: FakeEntry, action: string, { query }: FakeRequest, provider: FakeAccount): FakeAnswer {
    const powers: Readonly<Record<string, string>> = {
      start: "running",
      restart: "running",
      powerOff: query.get("skipShutdown") === "true" ? "stopped" : "stopped",
      deallocate: "deallocated",
    };
    const power = powers[action];
    if (power === undefined) throw new ArmRefusal(404, "NotFound", `There is no action ${action}`);
    if (action === "restart" && found.power !== "running")
      throw new ArmRefusal(409, "OperationNotAllowed", "The VM is not running");
    const failure = action === "start" ? this.startFailures.shift() : undefined;
    const finish = (): ArmFailure | undefined => {
      if (failure !== undefined) return failure;
      found.power = power;
      if (action === "restart") found.reboots += 1;
      return undefined;
    };
    return { status: 202, headers: this.#begin(provider, finish) };
  }

  #begin(provider: FakeAccount, finish: () => ArmFailure | undefined): Readonly<Record<string, string>> {
    const id = randomUUID();
    this.#operations.set(id, { looks: this.looks, finish, ended: false, failure: undefined });
    const url = `${provider.url}/subscriptions/${subscriptionId}/providers/Microsoft.Compute/locations/westus/operations/${id}`;
    return { "azure-asyncoperation": `${url}?api-version=2024-07-01`, "retry-after": String(this.retryAfter) };
  }

  #look(id: string): FakeAnswer {
    const operation = this.#operations.get(id);
    if (operation === undefined) throw new ArmRefusal(404, "NotFound", "There is no such operation");
    this.#progress(operation);
    if (!operation.ended)
      return { status: 200, body: { status: "InProgress" }, headers: { "retry-after": String(this.retryAfter) } };
    const { failure } = operation;
    return { status: 200, body: failure === undefined ? { status: "Succeeded" } : { status: "Failed", error: failure } };
  }

  #progress(operation: Operation): void {
    if (operation.ended || (operation.looks -= 1) > 0) return;
    operation.ended = true;
    operation.failure = operation.finish();
  }

  /** Whoever looks at a resource sees the work on it further on, though its operation be lost. */
  #shown(entry: FakeEntry): Json {
    const shown = shownForm(entry, [...this.entries.values()]);
    if (entry.state !== "Succeeded" && entry.state !== "Failed")
      for (const operation of this.#operations.values()) this.#progress(operation);
    return shown;
  }
}
