/**
 * A vCenter, or an ESXi host, of a test's own: Debian's simulator behind a proxy that is as strict as a real one. It holds
 * each request against vSphere's description, keeps names apart, checks passwords and sessions, takes no disk that is not
 * a streamOptimized VMDK, speaks `/api` where the simulator knows `/rest`, and fails where a test says so. Switching a
 * VM switches its hardware, which may be a host of the lab.
 */
import { once } from "node:events";
import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { buffer } from "node:stream/consumers";
import { childOf, loadXmlParser, textOf, type XmlElement, type XmlParser } from "../../../src/drivers/vmwarevsphere/api/xml.ts";
import { TestAuthority } from "../../../src/tls/testing/pki.ts";
import { certified } from "./certificate.ts";
import { Description } from "./description.ts";
import { DiskHost } from "./disk-host.ts";
import { numbers, type Hardware } from "./hardware.ts";
import { Pages } from "./paging.ts";
import { passOn } from "./passing.ts";
import { makes, refusalOf } from "./refusals.ts";
import { apiToRest } from "./rest-forms.ts";
import { failedTask, sendXml } from "./soap-answers.ts";
import { readSeed } from "./seed-reading.ts";
import { password, startVcsim, user, type LabState, type LabVm, type Vcsim } from "./vcsim.ts";
import { readStreamOptimized } from "./vmdk-reading.ts";

/** What goes wrong with the next calls of a method. */
export interface Fault {
  readonly method: string;
  /** The fault's type, with members as XML. */
  readonly fault?: string;
  readonly members?: string;
  /** The call is answered with a task, and that fails. */
  readonly inTask?: true;
  /** The method is carried out, and its answer lost. */
  readonly lost?: true;
  readonly times?: number;
}

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly text: string;
}

export class FakeVcenter implements AsyncDisposable {
  readonly requests: Seen[] = [];
  /** What the driver did that a real vCenter would not take: none is expected. */
  readonly violations: string[] = [];
  readonly faults: Fault[] = [];
  /** Contents of the disks that were sent. */
  readonly disks: Buffer[] = [];
  /** Whether VMware's tools run in guests. */
  hasTools = true;
  /** Guests are told to shut down and do not. */
  isDeaf = false;
  /** Guests get addresses. */
  hasDhcp = true;
  /** `/api` is there, as from 7.0 U2 on. */
  hasApi = true;
  /** After so many further requests the sessions that there are end; 0: they do not. */
  requestsToLive = 0;
  /** A VM that is still being made: for so many looks at it its UUID is not known, and it is not found by that. */
  arriving: { readonly ref: string; looks: number } | undefined;
  /** Objects in one answer of the property collector; 0: all. */
  pageSize = 0;
  /** What deployments from libraries fail with. */
  deployFailure: string | undefined;
  /** Further addresses that the first card has, before its own. */
  strayAddresses: readonly string[] = [];
  readonly #vcsim: Vcsim;
  readonly #server: Server;
  readonly #authority: TestAuthority;
  readonly #hardware: Hardware;
  readonly #parse: XmlParser;
  readonly #description = Description.load();
  readonly #booted = new Set<string>();
  readonly #addresses = new Map<string, string>();
  readonly #failedTasks = new Map<string, Fault>();
  readonly #pages = new Pages();
  /** The host that disks go to, where it is not vCenter itself. */
  #diskHost: DiskHost | undefined;
  readonly #dead = new Set<string>();
  readonly #datacenter: string;
  #certificate: string;
  #isLoggedIn = false;

  private constructor(parts: {
    readonly model: "vpx" | "esx";
    readonly vcsim: Vcsim;
    readonly server: Server;
    readonly authority: TestAuthority;
    readonly certificate: string;
    readonly hardware: Hardware;
    readonly parse: XmlParser;
  }) {
    this.#vcsim = parts.vcsim;
    this.#datacenter = parts.model === "vpx" ? "DC0" : "ha-datacenter";
    this.#server = parts.server;
    this.#authority = parts.authority;
    this.#certificate = parts.certificate;
    this.#hardware = parts.hardware;
    this.#parse = parts.parse;
  }

  static async start(model: "vpx" | "esx" = "vpx", hardware: Hardware = numbers()): Promise<FakeVcenter> {
    const [vcsim, parse, { authority, pair }] = await Promise.all([startVcsim(model), loadXmlParser(), certified()]);
    const { certificate, key } = pair;
    const server = createServer({ cert: certificate, key });
    const vcenter = new FakeVcenter({ model, vcsim, server, authority, certificate, hardware, parse });
    server.on("request", (request, response) => {
      vcenter.#answer(request, response).catch((error: unknown) => {
        if (!request.destroyed)
          vcenter.violations.push(`the proxy failed: ${String(error)}; the simulator said: ${vcsim.said()}`);
        response.destroy();
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return vcenter;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** PEM of who signed the certificate. */
  get ca(): string {
    return this.#authority.ca;
  }

  get thumbprint(): string {
    return new X509Certificate(this.#certificate).fingerprint256;
  }

  get thumbprintSha1(): string {
    return new X509Certificate(this.#certificate).fingerprint;
  }

  async state(): Promise<LabState> {
    return await this.#vcsim.state();
  }

  /** The machine's VM, by its name where a machine is made. */
  async vm(name: string): Promise<LabVm> {
    const found = (await this.state()).vms.find((vm) => vm.name === name);
    if (found === undefined) throw new Error(`there is no VM ${name}`);
    return found;
  }

  get lab(): Vcsim["lab"] {
    return this.#vcsim.lab;
  }

  /** The simulator itself, for what administrators do. */
  get simulator(): string {
    return this.#vcsim.url;
  }

  addressOf(ref: string): string {
    return this.#addresses.get(ref) ?? "";
  }

  fail(...faults: readonly Fault[]): void {
    this.faults.push(...faults);
  }

  calls(method: string): number {
    return this.requests.filter((request) => request.method === method).length;
  }

  /** Sessions that there are have ended. */
  endSessions(): void {
    for (const { text } of this.requests) {
      const cookie = /^cookie: (.*)$/mu.exec(text)?.[1];
      if (cookie !== undefined) this.#dead.add(cookie);
    }
  }

  /** From now on disks go to a host with a certificate of its own. */
  async openDiskHost(): Promise<DiskHost> {
    this.#diskHost = await DiskHost.start(async (request, response) => {
      if (request.headers.cookie !== undefined) this.violations.push("a host was given vCenter's session");
      const url = new URL(request.url ?? "/", "https://host.test");
      await this.#disk(request, response, url, await buffer(request));
    });
    return this.#diskHost;
  }

  /** The same server with another certificate, of the same authority or of one that nobody knows. */
  async changeCertificate(): Promise<void> {
    const { certificate, key } = await (await TestAuthority.create()).issueServer("127.0.0.1");
    this.#server.setSecureContext({ cert: certificate, key });
    this.#certificate = certificate;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const url = new URL(request.url ?? "/", "https://vcenter.test");
    const { cookie = "" } = request.headers;
    this.requests.push({ method: request.method ?? "", path: url.pathname, text: cookie === "" ? "" : `cookie: ${cookie}` });
    if (this.requestsToLive > 0 && (this.requestsToLive -= 1) === 0) this.endSessions();
    if (url.pathname === "/sdk") return await this.#soap(request, response, body.toString("utf8"));
    if (url.pathname.startsWith("/nfc/")) return await this.#disk(request, response, url, body);
    if (url.pathname.startsWith("/folder/")) return await this.#file(request, response, url, body);
    await this.#rest(request, response, url, body.toString("utf8"));
  }

  async #soap(request: IncomingMessage, response: ServerResponse, text: string): Promise<void> {
    const call = childOf(this.#parse(text), "Body")?.children[0];
    if (call === undefined) return this.#refuse(response, "InvalidRequest");
    this.requests.push({ method: call.name, path: "/sdk", text });
    const problem = this.#description.problemOf(call);
    if (problem !== undefined) {
      this.violations.push(problem);
      return this.#refuse(response, "InvalidRequest", `<!-- ${problem.replaceAll("--", "")} -->`);
    }
    if (call.name !== "Login" && this.#isLoggedIn && text.includes(password))
      this.violations.push(`${call.name} holds the password`);
    const fault = this.#take(call.name);
    if (fault?.fault !== undefined) return this.#fault(response, fault);
    const own = makes.has(call.name) || !this.hasTools ? refusalOf(call, await this.state(), this.hasTools) : undefined;
    if (own !== undefined) return this.#fault(response, own);
    const failed =
      call.name === "RetrievePropertiesEx" ? this.#failedTasks.get(textOf(call, "specSet", "objectSet", "obj")) : undefined;
    if (failed !== undefined) return sendXml(response, 200, failedTask(textOf(call, "specSet", "objectSet", "obj"), failed));
    if (call.name === "ContinueRetrievePropertiesEx")
      return sendXml(response, 200, this.#pages.next(textOf(call, "token"), this.pageSize));
    if (call.name === "RebootGuest") return await this.#reboot(response, call);
    if (call.name === "ShutdownGuest" && this.isDeaf) return sendXml(response, 200, '<ShutdownGuestResponse xmlns="urn:vim25"/>');
    const before = switches.has(call.name) ? await this.#vmOf(call) : undefined;
    if (call.name === "ShutdownGuest" && before !== undefined) await this.#hardware.power(before, "shut down");
    const answer = await this.#pass(request, text);
    if (answer.status === 200 && call.name === "Login") this.#isLoggedIn = true;
    if (answer.status === 200 && before !== undefined) await this.#switched(call.name, before);
    if (fault?.lost === true) return void response.destroy();
    if (this.#diskHost !== undefined && call.name === "RetrievePropertiesEx" && answer.body.includes("<deviceUrl>"))
      return void response.writeHead(200, answer.headers).end(this.#diskHost.told(answer.body.toString("utf8")));
    const hidden = this.#hidden(call, answer.body.toString("utf8"));
    if (hidden !== undefined) return void response.writeHead(answer.status, answer.headers).end(hidden);
    const isPaged = this.pageSize > 0 && call.name === "RetrievePropertiesEx";
    const content = isPaged ? this.#pages.first(answer.body.toString("utf8"), this.pageSize) : answer.body;
    response.writeHead(answer.status, answer.headers).end(content);
  }

  #hidden(call: XmlElement, answer: string): string | undefined {
    const { arriving } = this;
    if (arriving === undefined || arriving.looks === 0) return undefined;
    if (call.name === "FindByUuid" && answer.includes(`>${arriving.ref}<`))
      return answer.replace(/<returnval .*?<\/returnval>/u, "");
    if (call.name !== "RetrievePropertiesEx" || textOf(call, "specSet", "objectSet", "obj") !== arriving.ref) return undefined;
    arriving.looks -= 1;
    return answer.replaceAll(/<propSet><name>config\..*?<\/propSet>/gsu, "");
  }

  #take(method: string): Fault | undefined {
    const at = this.faults.findIndex((fault) => fault.method === method);
    const fault = this.faults[at];
    if (fault === undefined) return undefined;
    const left = (fault.times ?? 1) - 1;
    if (left === 0) this.faults.splice(at, 1);
    else this.faults[at] = { ...fault, times: left };
    return fault;
  }

  #fault(response: ServerResponse, fault: Fault): void {
    if (fault.inTask !== true) return this.#refuse(response, fault.fault ?? "", fault.members);
    const id = `task-of-the-proxy-${this.#failedTasks.size + 1}`;
    this.#failedTasks.set(id, fault);
    sendXml(
      response,
      200,
      `<${fault.method}Response xmlns="urn:vim25"><returnval type="Task">${id}</returnval></${fault.method}Response>`,
    );
  }

  #refuse(response: ServerResponse, type: string, members = ""): void {
    const detail = `<detail><${type}Fault xmlns="urn:vim25" xsi:type="${type}">${members}</${type}Fault></detail>`;
    sendXml(
      response,
      500,
      `<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring></faultstring>${detail}</soapenv:Fault>`,
    );
  }

  async #vmOf(call: XmlElement): Promise<LabVm | undefined> {
    return (await this.state()).vms.find((vm) => vm.ref === textOf(call, "_this"));
  }

  /** What the hardware does, and the guest's tools then tell. */
  async #switched(method: string, before: LabVm): Promise<void> {
    const state = await this.state();
    const now = state.vms.find((vm) => vm.ref === before.ref);
    if (now === undefined) {
      if (this.#booted.has(before.ref)) await this.#hardware.remove(before);
      return;
    }
    const isOn = now.state === "poweredOn";
    if (isOn === (before.state === "poweredOn") && method !== "ResetVM_Task") return;
    if (isOn) await this.#up(now, state, method === "ResetVM_Task" ? "again" : "on");
    else {
      if (method !== "ShutdownGuest") await this.#hardware.power(now, "off");
      await this.lab("guest", { vm: now.ref, addresses: [], tools: false });
    }
  }

  async #up(vm: LabVm, state: LabState, change: "on" | "again"): Promise<void> {
    const isFirst = !this.#booted.has(vm.ref);
    this.#booted.add(vm.ref);
    const address = isFirst ? await this.#hardware.boot(vm, readSeed(state, vm)) : await this.#hardware.power(vm, change);
    this.#addresses.set(vm.ref, address);
    await this.tell(vm.ref);
  }

  /** Has the guest's tools tell what they know by now. */
  async tell(ref: string): Promise<void> {
    const vm = (await this.state()).vms.find((one) => one.ref === ref);
    const cards = (vm?.devices ?? []).filter(({ mac }) => mac !== undefined);
    const others = cards.slice(1).map((_card, index) => [`198.51.100.${10 + index}`]);
    const first = this.hasDhcp ? [...this.strayAddresses, this.addressOf(ref)] : [...this.strayAddresses];
    const addresses = this.hasTools ? [first, ...others, ["172.17.0.1"]] : [];
    await this.lab("guest", { vm: ref, addresses, tools: this.hasTools });
  }

  async #reboot(response: ServerResponse, call: XmlElement): Promise<void> {
    const vm = await this.#vmOf(call);
    if (vm === undefined) return this.#refuse(response, "ManagedObjectNotFound");
    await this.#up(vm, await this.state(), "again");
    sendXml(response, 200, '<RebootGuestResponse xmlns="urn:vim25"/>');
  }

  async #disk(request: IncomingMessage, response: ServerResponse, url: URL, body: Buffer): Promise<void> {
    const fault = this.#take("NFC");
    if (fault?.lost === true) return void response.destroy();
    if (fault !== undefined) return void response.writeHead(500).end("No space left on device");
    if (request.headers["content-type"] !== "application/x-vnd.vmware-streamVmdk")
      this.violations.push("a disk without its content type");
    if (request.headers["content-length"] === undefined) this.violations.push("a disk of unknown length");
    this.disks.push(readStreamOptimized(body).content);
    const answer = await this.#pass(request, "", url);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  /** Where a datastore is, a real vCenter knows by its name; the simulator not, where it is in a cluster of them. */
  async #file(request: IncomingMessage, response: ServerResponse, url: URL, body: Buffer): Promise<void> {
    const { cookie = "" } = request.headers;
    if (!cookie.includes("vmware_soap_session=") || this.#dead.has(cookie)) return void response.writeHead(401).end();
    const fault = this.#take(`${request.method} /folder`);
    if (fault !== undefined) return void response.writeHead(Number(fault.fault)).end();
    const store = (await this.state()).datastores[url.searchParams.get("dsName") ?? ""];
    if (store === undefined || url.searchParams.get("dcPath") !== this.#datacenter) return void response.writeHead(404).end();
    const file = path.join(store, decodeURIComponent(url.pathname.slice("/folder/".length)));
    if (request.method === "HEAD") return void response.writeHead(existsSync(file) ? 200 : 404).end();
    if (request.method !== "PUT") return void response.writeHead(405).end();
    if (request.headers["content-length"] === undefined) this.violations.push("a file of unknown length");
    if (!existsSync(path.dirname(file))) this.violations.push(`${file} is in no VM's folder`);
    await writeFile(file, body);
    response.writeHead(201).end();
  }

  async #rest(request: IncomingMessage, response: ServerResponse, url: URL, text: string): Promise<void> {
    const isApi = url.pathname.startsWith("/api/");
    if (isApi && !this.hasApi) return void response.writeHead(404).end();
    const { authorization = "" } = request.headers;
    const expected = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
    const isSession = /\/session$/u.test(url.pathname) && request.method === "POST";
    if (isSession && authorization !== expected) return void response.writeHead(401).end('{"type":"UNAUTHENTICATED"}');
    if (!isSession && authorization !== "") this.violations.push(`${url.pathname} has the password`);
    if (this.deployFailure !== undefined && url.search.endsWith("action=deploy")) {
      const failed = {
        succeeded: false,
        error: { errors: [{ category: "SERVER", message: { default_message: this.deployFailure } }] },
      };
      return void response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify(isApi ? failed : { value: failed }));
    }
    const form = isApi ? apiToRest(request.method ?? "", url, text) : { path: `${url.pathname}${url.search}`, body: text };
    if (form === undefined) return void response.writeHead(404).end();
    const answer = await this.#pass(request, form.body, new URL(form.path, url));
    if (answer.status === 200 && form.path.endsWith("action=deploy")) await this.#annotate(form.body);
    const value =
      isApi && answer.status === 200
        ? JSON.stringify((JSON.parse(answer.body.toString() || "{}") as { value?: unknown }).value ?? null)
        : undefined;
    response
      .writeHead(answer.status, { "content-type": "application/json" })
      .end(value === "null" && !isSession ? "" : (value ?? answer.body));
  }

  /** The simulator leaves it out. */
  async #annotate(deployment: string): Promise<void> {
    const { deployment_spec: spec } = JSON.parse(deployment) as { deployment_spec: { name: string; annotation: string } };
    await this.lab("rename", { vm: (await this.vm(spec.name)).ref, annotation: spec.annotation });
  }

  async #pass(request: IncomingMessage, body: string | Buffer, url = new URL(request.url ?? "/", "https://vcenter.test")) {
    return await passOn(`${this.#vcsim.url}${url.pathname}${url.search}`, request, body, this.#dead);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
    await this.#diskHost?.[Symbol.asyncDispose]();
    await this.#vcsim[Symbol.asyncDispose]();
  }
}

const switches: ReadonlySet<string> = new Set([
  ...["PowerOnVM_Task", "PowerOffVM_Task", "ResetVM_Task", "SuspendVM_Task", "ShutdownGuest", "Destroy_Task"],
]);
