/**
 * vSphere's API over SOAP 1.1, one session an object: methods called, properties read, tasks followed to their end. What is
 * asked, and what the answers mean, is the callers'.
 */
import { findCredential } from "../../../driver-kit/credentials.ts";
import type { DriverContext } from "../../../driver-kit/driver.ts";
import { HttpApi } from "../../../driver-kit/http-api.ts";
import type { HttpAnswer, HttpRequest, HttpTransport } from "../../../driver-kit/http-transport.ts";
import {
  failureError,
  failureKindOf,
  ProviderError,
  type Facts,
  type ProviderFailure,
} from "../../../driver-kit/provider-error.ts";
import { MachineError } from "../../../errors/machine-error.ts";
import { poll, type Pace } from "../../../system/waiting.ts";
import type { VsphereConfig } from "../options.ts";
import { contentOf, listed, requireRef, type Listed, type Properties, type ServiceContent } from "./answers.ts";
import { baseUrl, openConnection } from "./connection.ts";
import { explainWith, failureOf, failureTable } from "./fault.ts";
import { methods, type Method } from "./schema.ts";
import { element, typed, type Ref, type Wire } from "./wire.ts";
import { childOf, childrenOf, loadXmlParser, textOf, type XmlElement, type XmlParser } from "./xml.ts";

/** As vCenter 6.5 speaks, which all later ones take. */
const soapAction = '"urn:vim25/6.5"';
const taskPace: Pace = { firstMs: 500, mostMs: 4_000, jitter: 0.2 };
/** How long a VM may be busy with what others do to it. */
export const busyMs = 30_000;
const logoutMs = 5_000;
const serviceInstance: Ref = { type: "ServiceInstance", value: "ServiceInstance" };

/** What may be asked twice. */
const safe: ReadonlySet<Method> = new Set<Method>([
  ...(["RetrieveServiceContent", "RetrievePropertiesEx", "FindByInventoryPath", "FindByUuid", "RecommendDatastores"] as const),
  ...(["GetCustomizationSpec", "HttpNfcLeaseProgress", "CreateContainerView", "DestroyView"] as const),
]);

export class VimApi {
  readonly #context: DriverContext;
  readonly #config: VsphereConfig;
  #opened: Promise<Opened> | undefined;
  #session: Promise<void> | undefined;
  /** As it was given, quotes included. */
  #cookie: string | undefined;

  constructor(context: DriverContext, config: VsphereConfig) {
    this.#context = context;
    this.#config = config;
  }

  /** What answers; asked once. */
  async content(signal: AbortSignal): Promise<ServiceContent> {
    return (await this.#open(signal)).content;
  }

  /** For files and REST at the same server, which believe the same certificate. */
  async transport(signal: AbortSignal): Promise<HttpTransport> {
    return (await this.#open(signal)).http;
  }

  /**
   * One request for a file or to a lease, with the session's cookie, whatever the answer's status. A session that has ended
   * is begun anew once.
   */
  async sendInSession(http: HttpTransport, request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const send = async (): Promise<HttpAnswer> => {
      await this.#loggedIn(signal);
      return await http.send({ ...request, headers: { ...request.headers, cookie: this.#cookie ?? "" } }, signal);
    };
    const answer = await send();
    if (answer.status !== 401) return answer;
    this.#forgetSession();
    return await send();
  }

  /** User and password, for the REST API. Throws `provider-credentials`. */
  async credentials(signal: AbortSignal): Promise<{ readonly user: string; readonly password: string }> {
    const { env } = this.#context.computer;
    const given = async (value: string): Promise<string | undefined> => (value === "" ? undefined : value);
    const { credential } = await findCredential(
      {
        provider: "vSphere",
        places: [
          {
            name: "--vmwarevsphere-password",
            storable: true,
            look: async () => await given(await this.#context.reveal(this.#config.Password)),
          },
          { name: "VSPHERE_PASSWORD", storable: false, look: async () => await given(env["VSPHERE_PASSWORD"] ?? "") },
        ],
        wayOut: "Put the password into VSPHERE_PASSWORD, or give it with --vmwarevsphere-password.",
      },
      signal,
    );
    this.#context.secret(credential);
    return { user: this.#config.Username, password: credential };
  }

  /**
   * Calls a method and gives its answer's element, whose children are named `returnval`. A session that has ended is begun
   * anew once: what it refused was not done. Throws `ProviderError` by the fault.
   */
  async call(
    method: Method,
    self: Ref,
    parameters: Readonly<Record<string, Wire>>,
    signal: AbortSignal,
    facts: Facts = {},
  ): Promise<XmlElement> {
    return await this.#inSession(signal, async () => await this.#send(method, self, parameters, signal, facts));
  }

  /** Undefined where the object is not there any more. What may not be read, or is not set, is left out. */
  async properties(ref: Ref, paths: readonly string[], signal: AbortSignal): Promise<Properties | undefined> {
    const objectSet = typed("ObjectSpec", { obj: ref, skip: false });
    try {
      const [found] = await this.#retrieve([ref.type], paths, objectSet, signal);
      return found?.properties ?? new Map();
    } catch (error) {
      if (failureKindOf(error) === "not-found") return undefined;
      throw error;
    }
  }

  /** The same of several at once; those that are not there any more are left out. */
  async propertiesOfAll(refs: readonly Ref[], paths: readonly string[], signal: AbortSignal): Promise<readonly Listed[]> {
    if (refs.length === 0) return [];
    const types = [...new Set(refs.map(({ type }) => type))];
    const objectSet = refs.map((ref) => typed("ObjectSpec", { obj: ref, skip: false }));
    try {
      return await this.#retrieve(types, paths, objectSet, signal);
    } catch (error) {
      if (failureKindOf(error) !== "not-found") throw error;
      // One that is gone spoils the answer for all.
      const each = refs.map(async (ref) => ({ ref, properties: await this.properties(ref, paths, signal) }));
      return (await Promise.all(each)).flatMap(({ ref, properties }) => (properties === undefined ? [] : [{ ref, properties }]));
    }
  }

  /** All objects of a type below a folder, a datacenter or a pool. */
  async list(container: Ref, type: string, paths: readonly string[], signal: AbortSignal): Promise<readonly Listed[]> {
    const viewManager = (await this.content(signal)).manager("viewManager");
    const made = await this.call("CreateContainerView", viewManager, { container, type: [type], recursive: true }, signal);
    const view = requireRef(childOf(made, "returnval"));
    const selectSet = typed("TraversalSpec", { type: "ContainerView", path: "view", skip: false });
    try {
      return await this.#retrieve([type], paths, typed("ObjectSpec", { obj: view, skip: true, selectSet }), signal);
    } finally {
      // It goes with the session too.
      await this.call("DestroyView", view, {}, signal).catch(() => {});
    }
  }

  /** Starts a task and follows it to its end; gives its result. What somebody else is doing to the object is waited for. */
  async run(
    method: Method,
    self: Ref,
    parameters: Readonly<Record<string, Wire>>,
    signal: AbortSignal,
    facts: Facts = {},
  ): Promise<XmlElement | undefined> {
    const { clock } = this.#context;
    const once = async (): Promise<{ readonly result: XmlElement | undefined }> => {
      const task = requireRef(childOf(await this.call(method, self, parameters, signal, facts), "returnval"));
      return { result: await this.finish(task, method, signal, facts) };
    };
    const attempt = async (note: (error: unknown) => void): Promise<{ readonly result: XmlElement | undefined } | undefined> => {
      try {
        return await once();
      } catch (error) {
        if (failureKindOf(error) !== "busy") throw error;
        note(error);
        return undefined;
      }
    };
    const done = await poll(
      { ms: busyMs, clock, signal },
      2_000,
      async ({ note }) => await attempt(note),
      (last) => last,
    );
    return done.result;
  }

  /** The task's result, once it has one. Throws what it failed with, or `timeout`. */
  async finish(task: Ref, method: string, signal: AbortSignal, facts: Facts = {}): Promise<XmlElement | undefined> {
    const patience = { ms: this.#context.operationMs, clock: this.#context.clock, signal };
    const ended = await poll(
      patience,
      taskPace,
      async () => {
        const info = (await this.properties(task, ["info"], signal))?.get("info");
        const state = textOf(info, "state");
        if (state === "error") throw this.#refusal(info, facts);
        return state === "success" ? { result: childOf(info, "result") } : undefined;
      },
      `vSphere did not finish ${method.replace(/_Task$/u, "")}`,
    );
    return ended.result;
  }

  /** Ends the session; what is not ended ends by itself. */
  async logOut(): Promise<void> {
    if (this.#cookie === undefined) return;
    try {
      const signal = AbortSignal.timeout(logoutMs);
      const manager = (await this.content(signal)).manager("sessionManager");
      await this.#send("Logout", manager, {}, signal, {});
    } catch {
      // It is of no more use either way.
    }
    this.#forgetSession();
  }

  #forgetSession(): void {
    this.#cookie = undefined;
    this.#session = undefined;
  }

  async #open(signal: AbortSignal): Promise<Opened> {
    this.#opened ??= this.#connect(signal);
    try {
      return await this.#opened;
    } catch (error) {
      this.#opened = undefined;
      throw error;
    }
  }

  async #connect(signal: AbortSignal): Promise<Opened> {
    const parse = await loadXmlParser();
    const { http, found } = await openConnection(this.#context, this.#config, signal, async (transport) => {
      const api = this.#apiOver(transport, parse);
      const answer = await this.#post(api, parse, "RetrieveServiceContent", serviceInstance, {}, signal, {});
      return { api, content: contentOf(childOf(answer, "returnval")) };
    });
    return { http, parse, ...found };
  }

  #apiOver(http: HttpTransport, parse: XmlParser): HttpApi {
    const { clock, report, secret } = this.#context;
    return new HttpApi(
      { http, clock, report, secret },
      {
        provider: "vSphere",
        baseUrl: baseUrl(this.#config),
        authorize: async () => (this.#cookie === undefined ? {} : { cookie: this.#cookie }),
        explain: explainWith(parse),
        failures: failureTable,
        facts: this.#facts(),
      },
    );
  }

  #facts(): Facts {
    const { IP, Username } = this.#config;
    return { host: IP, user: Username, machine: this.#context.machineName };
  }

  async #inSession<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#loggedIn(signal);
    const used = this.#cookie;
    try {
      return await work();
    } catch (error) {
      if (!hasEnded(error)) throw error;
      if (this.#cookie === used) this.#forgetSession();
      await this.#loggedIn(signal);
      return await work();
    }
  }

  async #loggedIn(signal: AbortSignal): Promise<void> {
    this.#session ??= this.#logIn(signal);
    try {
      await this.#session;
    } catch (error) {
      this.#session = undefined;
      throw error;
    }
  }

  async #logIn(signal: AbortSignal): Promise<void> {
    const { api, content } = await this.#open(signal);
    const { user: userName, password } = await this.credentials(signal);
    const body = envelope("Login", content.manager("sessionManager"), { userName, password, locale: "en_US" });
    const answer = await api.answer({ ...soapRequest, body }, signal);
    const cookie = /vmware_soap_session=(?:"[^"]*"|[^;,\s]*)/u.exec(answer.headers["set-cookie"] ?? "")?.[0];
    if (cookie === undefined)
      throw new MachineError("provider-error", `${this.#config.IP} gave no session`, {
        hint: "Check --vmwarevsphere-vcenter: a proxy may stand before it that takes cookies away.",
      });
    this.#context.secret(cookie.slice(cookie.indexOf("=") + 1).replaceAll('"', ""));
    this.#cookie = cookie;
  }

  async #send(method: Method, self: Ref, parameters: Readonly<Record<string, Wire>>, signal: AbortSignal, facts: Facts) {
    const { api, parse } = await this.#open(signal);
    return await this.#post(api, parse, method, self, parameters, signal, facts);
  }

  async #post(
    api: HttpApi,
    parse: XmlParser,
    method: Method,
    self: Ref,
    parameters: Readonly<Record<string, Wire>>,
    signal: AbortSignal,
    facts: Facts,
  ): Promise<XmlElement> {
    const request = { ...soapRequest, body: envelope(method, self, parameters), safe: safe.has(method), facts };
    const answer = childOf(parse((await api.answer(request, signal)).text), "Body")?.children[0];
    if (answer?.name === `${method}Response`) return answer;
    throw new MachineError("provider-error", `The answer of ${this.#config.IP} to ${method} makes no sense`, {
      hint: "Check --vmwarevsphere-vcenter: something else may answer there, such as a proxy or a login page.",
    });
  }

  async #retrieve(
    types: readonly string[],
    paths: readonly string[],
    objectSet: Wire,
    signal: AbortSignal,
  ): Promise<readonly Listed[]> {
    const collector = (await this.content(signal)).manager("propertyCollector");
    const propSet = types.map((type) => typed("PropertySpec", { type, pathSet: paths }));
    const specSet = typed("PropertyFilterSpec", { propSet, objectSet });
    return await this.#inSession(signal, async () => {
      const asked = { specSet, options: typed("RetrieveOptions", {}) };
      const objects: XmlElement[] = [];
      let page = childOf(await this.#send("RetrievePropertiesEx", collector, asked, signal, {}), "returnval");
      for (; page !== undefined;) {
        objects.push(...childrenOf(page, "objects"));
        // Large inventories are told in parts.
        const token = textOf(page, "token");
        if (token === "") break;
        page = childOf(await this.#send("ContinueRetrievePropertiesEx", collector, { token }, signal, {}), "returnval");
      }
      for (const object of objects) this.#requireSeen(object);
      return objects.map(listed);
    });
  }

  /** Without a session the answer is a success, in which everything is missing. */
  #requireSeen(object: XmlElement): void {
    const missing = childrenOf(object, "missingSet").map((one) => childOf(one, "fault", "fault"));
    const ended = missing.find((fault) => fault?.xsiType === "NotAuthenticated");
    if (ended !== undefined) throw this.#failure(failureOf(ended, ""), {});
  }

  #refusal(info: XmlElement | undefined, facts: Facts): ProviderError {
    const error = childOf(info, "error");
    const fault = childOf(error, "fault");
    const words = textOf(error, "localizedMessage");
    return this.#failure(fault === undefined ? { kind: "server", code: "", message: words } : failureOf(fault, words), facts);
  }

  #failure(failure: ProviderFailure, facts: Facts): ProviderError {
    return failureError("vSphere", failure, failureTable, { ...this.#facts(), ...facts });
  }
}

interface Opened {
  readonly http: HttpTransport;
  readonly parse: XmlParser;
  readonly api: HttpApi;
  readonly content: ServiceContent;
}

const soapRequest = {
  method: "POST",
  path: "/sdk",
  headers: { "content-type": 'text/xml; charset="utf-8"', accept: "text/xml", soapaction: soapAction },
} as const;

function envelope(method: Method, self: Ref, parameters: Readonly<Record<string, Wire>>): string {
  const order: readonly string[] = methods[method];
  const body = [element("_this", self), ...order.map((name) => element(name, parameters[name]))].join("");
  const namespaces =
    'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ' +
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema"';
  const called = `<${method} xmlns="urn:vim25">${body}</${method}>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<soapenv:Envelope ${namespaces}><soapenv:Body>${called}</soapenv:Body></soapenv:Envelope>`;
}

function hasEnded(error: unknown): boolean {
  return error instanceof ProviderError && error.failure.code === "NotAuthenticated";
}
