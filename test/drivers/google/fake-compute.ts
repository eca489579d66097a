/**
 * A Compute Engine in this process, with state: instances, disks, addresses, firewall rules, operations that take their time
 * and may fail, request ids that are remembered, fingerprints, guest attributes. Names, types, required and unknown fields
 * and what refers to what are checked as Google does; tokens come from a token service of its own.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import type { compute_v1 } from "@googleapis/compute";
import type { Resource } from "../../../src/driver-kit/driver.ts";
import type { FakeAnswer, FakeApi, FakeRequest } from "../../../src/testing/fake-api.ts";
import { FakeProvider } from "../../../src/testing/fake-provider.ts";
import { checkWish, fakeProject, imageOf, images, networks, Refused, regional, requireName, types, zone } from "./catalogue.ts";
import { FakeOperations } from "./operations.ts";
import { ServiceAccount } from "./service-account.ts";
import { isKnownRequest, problemsOf } from "./vendor-schema.ts";

type Instance = compute_v1.Schema$Instance & { name: string; id: string; status: string; zone: string };
type Disk = compute_v1.Schema$Disk & { name: string; id: string };
type Firewall = compute_v1.Schema$Firewall & { name: string };

export class FakeCompute implements FakeApi, AsyncDisposable {
  readonly instances = new Map<string, Instance>();
  readonly disks = new Map<string, Disk>();
  readonly firewalls = new Map<string, Firewall>();
  readonly operations = new FakeOperations();
  readonly account = new ServiceAccount();
  /** Bodies of the instances that were asked for. */
  readonly asked: Readonly<Record<string, unknown>>[] = [];
  /** What the guest tells; undefined = nothing yet. */
  hostKeys: Readonly<Record<string, string>> | undefined = { "ssh-ed25519": "AAAAC3NzaC1lZDI1NTE5AAAAIA==" };
  guestAttributesForbidden = false;
  token = "ya29.fake-token";
  readonly #byRequestId = new Map<string, compute_v1.Schema$Operation>();
  readonly #folder = mkdtempSync(path.join(tmpdir(), "fake-compute-"));
  #count = 0;
  #provider: FakeProvider | undefined;

  /** @param onHardware gives its instances something to run on */
  static async start(
    step?: (what: string) => Promise<void>,
    onHardware: (fake: FakeCompute) => FakeApi = (fake) => fake,
  ): Promise<FakeCompute> {
    const fake = new FakeCompute();
    fake.#provider = await FakeProvider.start({ api: onHardware(fake), step });
    writeFileSync(path.join(fake.#folder, "identity"), "a-token-of-another-cloud");
    return fake;
  }

  get provider(): FakeProvider {
    if (this.#provider === undefined) throw new Error("it is not started");
    return this.#provider;
  }

  /** Credentials that its token service takes: an identity of another cloud, since those name their service. */
  get credentials(): string {
    return JSON.stringify({
      type: "external_account",
      audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/p",
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      token_url: `${this.provider.url}/token`,
      credential_source: { file: path.join(this.#folder, "identity") },
    });
  }

  /** All there is, of whomever. */
  get resources(): Resource[] {
    const of = (kind: string, things: ReadonlyMap<string, unknown>): Resource[] => [...things.keys()].map((id) => ({ kind, id }));
    return [...of("instance", this.instances), ...of("disk", this.disks), ...of("firewall", this.firewalls)];
  }

  /** What hardware would have to be. */
  machines(): readonly { readonly id: string; readonly isOn: boolean; readonly userData: string; readonly reboots: number }[] {
    const started = [...this.instances.values()].filter(({ status }) => status !== "PROVISIONING");
    return started.map(({ id, metadata, status }) => ({
      id,
      isOn: status === "RUNNING",
      userData: metadata?.items?.find(({ key }) => key === "user-data")?.value ?? "",
      reboots: 0,
    }));
  }

  /** Where the hardware of an instance is, and which host keys its guest tells. */
  place(id: string, address: string, hostKeys: readonly string[]): void {
    const access = [...this.instances.values()].find((one) => one.id === id)?.networkInterfaces?.[0]?.accessConfigs?.[0];
    if (access?.natIP !== undefined) access.natIP = address;
    this.hostKeys = Object.fromEntries(hostKeys.map((line) => line.split(" ") as [string, string]));
  }

  /** As others make them, without a mark. */
  addForeign(name: string): void {
    this.instances.set(name, {
      name,
      id: this.#id(),
      status: "RUNNING",
      zone,
      labels: {},
      metadata: { fingerprint: "f0" },
      tags: { fingerprint: "t0" },
    });
    this.disks.set(`${name}-disk`, { name: `${name}-disk`, id: this.#id() });
  }

  refuse(status: number, reason: string, message: string): FakeAnswer {
    return { status, body: { error: { code: status, message, errors: [{ reason, domain: "global", message }] } } };
  }

  answer(request: FakeRequest): FakeAnswer {
    if (request.path === "/token") return this.#giveToken(request);
    try {
      return { status: 200, body: this.#carryOut(request) };
    } catch (error) {
      if (error instanceof Refused) return this.refuse(error.status, error.reason, error.message);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.provider[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true });
  }

  /** What Google's token service answers to whoever has a key of the service account. */
  giveAccountToken(text: string): FakeAnswer {
    const form = new URLSearchParams(text);
    const isGrant = form.get("grant_type") === "urn:ietf:params:oauth:grant-type:jwt-bearer";
    const refusal = isGrant ? this.account.refusalOf(form.get("assertion") ?? "") : "Unsupported grant.";
    if (refusal !== undefined) return { status: 400, body: { error: "invalid_grant", error_description: refusal } };
    return { status: 200, body: { access_token: this.token, token_type: "Bearer", expires_in: 3599 } };
  }

  #giveToken({ text }: FakeRequest): FakeAnswer {
    const given = new URLSearchParams(text).get("subject_token");
    if (given !== "a-token-of-another-cloud")
      return { status: 400, body: { error: "invalid_grant", error_description: "expired" } };
    const issued = "urn:ietf:params:oauth:token-type:access_token";
    return { status: 200, body: { access_token: this.token, issued_token_type: issued, token_type: "Bearer", expires_in: 3600 } };
  }

  #carryOut({ method, path: url, query, headers, text }: FakeRequest): unknown {
    if (headers.authorization !== `Bearer ${this.token}`) throw new Refused(401, "authError", "Invalid Credentials");
    if (!isKnownRequest(method, url)) throw new Refused(404, "unknownRequest", `Google has no ${method} ${url}`);
    this.operations.letTimePass();
    const requestId = query.get("requestId");
    if (method !== "GET" && !url.endsWith("/wait")) {
      if (requestId === null || !/^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u.test(requestId))
        throw new Refused(400, "invalid", "Invalid value for field 'requestId'");
      const known = this.#byRequestId.get(requestId);
      if (known !== undefined) return known;
    }
    const [, , , , project = "", ...parts] = url.split("/");
    const body = text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
    const answer = this.#route(method, project, parts, body);
    if (answer === undefined)
      throw new Refused(404, "notFound", `The resource '${url.slice("/compute/v1/".length)}' was not found`);
    if (requestId !== null) this.#byRequestId.set(requestId, answer as compute_v1.Schema$Operation);
    return answer;
  }

  #route(method: string, project: string, parts: readonly string[], body: Record<string, unknown>): unknown {
    const [scope, second, kind, name = "", verb] = parts;
    if (scope === "global" && second === "images") return imageOf(project, parts.slice(2));
    if (project !== fakeProject) return undefined;
    if (scope === undefined) return { name: project, commonInstanceMetadata: {} };
    if (scope === "global") return this.#global(method, parts.slice(1), body);
    if (scope === "regions") return second === "us-central1" ? regional[`${kind}/${name}`] : undefined;
    if (second !== zone) return undefined;
    switch (kind) {
      case undefined:
        return { name: zone, status: "UP" };
      case "machineTypes":
        return types[name] === undefined ? undefined : { name, architecture: types[name] };
      case "diskTypes":
        return /^(?:pd-standard|pd-balanced|pd-ssd|hyperdisk-balanced)$/u.test(name) ? { name } : undefined;
      case "acceleratorTypes":
        return name === "nvidia-tesla-t4" ? { name } : undefined;
      case "operations":
        return this.#operation(name);
      case "disks":
        return this.#disk(method, name);
      default:
        return name === "" ? this.#insert(body) : this.#instance(method, name, verb, body);
    }
  }

  #global(method: string, [kind, name = ""]: readonly string[], body: Record<string, unknown>): unknown {
    if (kind === "operations") return this.#operation(name);
    if (kind === "networks") return networks[name];
    if (method === "POST") {
      this.#validate("Firewall", body);
      const rule = body as unknown as Firewall;
      requireName(rule.name);
      if (this.firewalls.has(rule.name)) throw new Refused(409, "alreadyExists", `The resource '${rule.name}' already exists`);
      if (
        (rule.sourceRanges ?? []).some((range) => range.includes(":")) &&
        (rule.sourceRanges ?? []).some((range) => !range.includes(":"))
      )
        throw new Refused(400, "invalid", "Source ranges must be of one family");
      this.firewalls.set(rule.name, rule);
      return this.operations.begin("insert-firewall", "global", "1", () => {});
    }
    const found = this.firewalls.get(name);
    if (found === undefined || method === "GET") return found;
    if (method === "PATCH") {
      this.#validate("Firewall", body);
      this.firewalls.set(name, { ...found, ...body });
    } else this.firewalls.delete(name);
    return this.operations.begin(method.toLowerCase(), "global", "1", () => {});
  }

  #operation(name: string): unknown {
    return this.operations.find(name);
  }

  #disk(method: string, name: string): unknown {
    const disk = this.disks.get(name);
    if (disk === undefined || method === "GET") return disk;
    if ((disk.users ?? []).length > 0)
      throw new Refused(400, "resourceInUseByAnotherResource", `The disk ${name} is already being used`);
    return this.operations.begin("delete", "zonal", disk.id, () => void this.disks.delete(name));
  }

  #insert(body: Record<string, unknown>): unknown {
    this.asked.push(structuredClone(body));
    this.#validate("Instance", body);
    const wish = body as compute_v1.Schema$Instance;
    const name = requireName(wish.name);
    if (this.instances.has(name))
      throw new Refused(
        409,
        "alreadyExists",
        `The resource 'projects/${fakeProject}/zones/${zone}/instances/${name}' already exists`,
      );
    checkWish(wish);
    const disk = this.#diskFor(wish);
    const id = this.#id();
    disk.users = [name];
    this.disks.set(disk.name, disk);
    const made: Instance = { ...wish, name, id, status: "PROVISIONING", zone, tags: { ...wish.tags, fingerprint: this.#id() } };
    made.metadata = { ...wish.metadata, fingerprint: this.#id() };
    this.instances.set(name, made);
    return this.operations.begin("insert", "zonal", id, (failed) => {
      if (failed) {
        this.instances.delete(name);
        this.disks.delete(disk.name);
      } else this.#run(made);
    });
  }

  #diskFor(wish: compute_v1.Schema$Instance): Disk {
    const [asked] = wish.disks ?? [];
    if (asked?.source !== undefined && asked.source !== null) {
      const there = this.disks.get(asked.source.split("/").at(-1) ?? "");
      if (there === undefined) throw new Refused(404, "notFound", `The resource '${asked.source}' was not found`);
      return there;
    }
    const init = asked?.initializeParams;
    const [, project = "", , , image = ""] = (init?.sourceImage ?? "").split("/");
    if (imageOf(project, [image]) === undefined)
      throw new Refused(400, "invalid", "Invalid value for field 'resource.disks[0].initializeParams.sourceImage'");
    const name = requireName(init?.diskName);
    if (this.disks.has(name)) throw new Refused(409, "alreadyExists", `The resource '${name}' already exists`);
    if (Number(init?.diskSizeGb) < Number(images[`${project}/${image}`]?.diskSizeGb))
      throw new Refused(400, "invalid", "Requested disk size cannot be smaller than the image size");
    return { name, id: this.#id(), labels: init?.labels ?? {} };
  }

  #instance(method: string, name: string, verb: string | undefined, body: Record<string, unknown>): unknown {
    const found = this.instances.get(name);
    if (found === undefined) return undefined;
    if (method === "DELETE") {
      if (found.deletionProtection === true)
        throw new Refused(400, "invalid", "Resource cannot be deleted if it's protected against deletion");
      found.status = "STOPPING";
      return this.operations.begin("delete", "zonal", found.id, () => this.#remove(found));
    }
    switch (verb) {
      case undefined:
        return found;
      case "getGuestAttributes":
        return this.#guestAttributes(found);
      case "stop":
        found.status = "STOPPING";
        return this.operations.begin("stop", "zonal", found.id, () => this.#end(found, "TERMINATED"));
      case "start":
      case "resume":
        if (found.status !== (verb === "start" ? "TERMINATED" : "SUSPENDED"))
          throw new Refused(400, "invalid", `The instance is ${found.status}`);
        return this.operations.begin("start", "zonal", found.id, (failed) => failed || this.#run(found));
      case "setMetadata":
        this.#validate("Metadata", body);
        if (body["fingerprint"] !== found.metadata?.fingerprint)
          throw new Refused(412, "conditionNotMet", "Supplied fingerprint does not match current metadata fingerprint.");
        found.metadata = { ...(body as compute_v1.Schema$Metadata), fingerprint: this.#id() };
        return this.operations.begin("setMetadata", "zonal", found.id, () => {});
      case "setScheduling":
        this.#validate("Scheduling", body);
        if (found.status !== "TERMINATED" && body["maxRunDuration"] !== found.scheduling?.maxRunDuration)
          throw new Refused(400, "invalid", "The instance must be stopped to change its maxRunDuration");
        found.scheduling = body;
        return this.operations.begin("setScheduling", "zonal", found.id, () => {});
      case "setTags":
        this.#validate("Tags", body);
        if (body["fingerprint"] !== found.tags?.fingerprint)
          throw new Refused(412, "conditionNotMet", "Supplied fingerprint does not match current tags fingerprint.");
        found.tags = { ...(body as compute_v1.Schema$Tags), fingerprint: this.#id() };
        return this.operations.begin("setTags", "zonal", found.id, () => {});
      default:
        return undefined;
    }
  }

  #guestAttributes(instance: Instance): unknown {
    if (this.guestAttributesForbidden)
      throw new Refused(412, "conditionNotMet", "Constraint constraints/compute.disableGuestAttributesAccess violated");
    const isOn = instance.metadata?.items?.some(({ key, value }) => key === "enable-guest-attributes" && value === "TRUE");
    if (isOn !== true || this.hostKeys === undefined) return undefined;
    return {
      queryPath: "hostkeys/",
      queryValue: { items: Object.entries(this.hostKeys).map(([key, value]) => ({ namespace: "hostkeys", key, value })) },
    };
  }

  #run(instance: Instance): void {
    instance.status = "RUNNING";
    for (const one of instance.networkInterfaces ?? []) {
      one.networkIP ??= `10.128.0.${(this.#count % 250) + 2}`;
      for (const access of one.accessConfigs ?? []) access.natIP ??= `192.0.2.${((this.#count += 1) % 250) + 1}`;
    }
  }

  /** An address that was lent is given back; one that was asked for stays. */
  #end(instance: Instance, status: string): void {
    instance.status = status;
    const wished = this.asked.find(({ name }) => name === instance.name) as compute_v1.Schema$Instance | undefined;
    if (wished?.networkInterfaces?.[0]?.accessConfigs?.[0]?.natIP === "203.0.113.5") return;
    for (const one of instance.networkInterfaces ?? [])
      one.accessConfigs = (one.accessConfigs ?? []).map(({ natIP: _ip, ...rest }) => rest);
  }

  #remove(instance: Instance): void {
    this.instances.delete(instance.name);
    for (const [name, disk] of this.disks) {
      if (disk.users?.includes(instance.name) !== true) continue;
      if (instance.disks?.[0]?.autoDelete === true) this.disks.delete(name);
      else disk.users = [];
    }
  }

  #validate(type: string, body: unknown): void {
    const [problem] = problemsOf(type, body);
    if (problem !== undefined) throw new Refused(400, "badRequest", problem);
  }

  #id(): string {
    return String(5_000_000_000_000_000_000n + BigInt((this.#count += 1)));
  }
}
