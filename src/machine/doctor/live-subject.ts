/** Subjects as they are: this computer, and machines of the store. Each look is taken once. */
import * as path from "node:path";
import type { EngineVersion } from "../../engine/engine-client.ts";
import { isMachineError, MachineError, messageOf } from "../../errors/machine-error.ts";
import { examineHost } from "../../provision/host/examine-host.ts";
import { runRootScript } from "../../ssh/root-script.ts";
import { rightsIn, rightsOf, setMode } from "../../system/file-rights.ts";
import { routesHere } from "../../system/local-networks.ts";
import { addressesOf } from "../../system/name-lookup.ts";
import { proxyFor } from "../../system/proxy-choice.ts";
import { isIpAddress } from "../../system/tcp.ts";
import { loadCertificateFacts } from "../../tls/check.ts";
import { formatBound } from "../../system/time-text.ts";
import { unlessAborted, within } from "../../system/waiting.ts";
import { validityState, validityWarning } from "../../tls/validity.ts";
import { regenerateCertificates } from "../certificates.ts";
import { engineCertificateOf } from "../host/certificate-dates.ts";
import { engineClientOf, engineUrlOf } from "../host/engine-connection.ts";
import { isOverSsh } from "../host/engine-transport.ts";
import { isProvisioned, type Host } from "../host/host.ts";
import { ask, locate } from "../host/locate.ts";
import { wayToRun } from "../host/not-running.ts";
import { openHost } from "../host/open-host.ts";
import { recordedSudoPassword } from "../host/sudo-password.ts";
import { keepPublished } from "../published/keep.ts";
import { publishedFacts } from "../published/published-facts.ts";
import { stateOf } from "../host/wait-for-state.ts";
import { integrationDrift } from "../integration/in-step.ts";
import { findInterruption, wayOut, whatHappened } from "../interruption/interrupted.ts";
import { lockMachine } from "../interruption/machine-lock.ts";
import { provisionAgain } from "../maintain.ts";
import type { MachineContext } from "../machine-context.ts";
import { bareRequest } from "../host/provision-request.ts";
import { provisionContext } from "../host/provision-context.ts";
import { markedTextOf } from "../secrets/marked-text.ts";
import { Vault } from "../secrets/vault.ts";
import { asMachineError } from "./examine.ts";
import { lookAtFiles } from "./look-at-files.ts";
import type {
  CertificateLook,
  Drift,
  EngineLook,
  NameLook,
  ProviderLook,
  RecordLook,
  Repairs,
  ShellLook,
  SshLook,
  StoreLook,
  Subject,
} from "./subject.ts";

export interface DoctorOptions {
  /** Ask each machine whether its engine could pull. */
  readonly registry: boolean;
}

/**
 * Bounds that are tighter than other commands': what hangs is a finding, and is told within 12 s with what comes before it. With
 * a hang nothing that needs it is asked, so that no two of them come one after the other.
 */
const mostMs = { stateMs: 6_000, queryMs: 5_000, probeMs: 10_000 } as const;
export const doctorBounds = { ...mostMs, engineMs: 10_000, nameMs: 8_000 } as const;
const clientMs = 5_000;

function boundedFurther(context: MachineContext): MachineContext {
  const { timeouts } = context;
  const bounds = Object.entries(mostMs).map(([name, ms]) => [name, Math.min(ms, timeouts[name as keyof typeof mostMs])]);
  return { ...context, timeouts: { ...timeouts, ...Object.fromEntries(bounds) } };
}

function once<T>(look: () => Promise<T>): () => Promise<T> {
  let taken: Promise<T> | undefined;
  return async () => await (taken ??= look());
}

/** What all subjects of one visit have in common. */
export class Visit {
  /** For what is mended. */
  readonly context: MachineContext;
  /** For what is looked at. */
  readonly looking: MachineContext;
  readonly options: DoctorOptions;
  readonly signal: AbortSignal;
  readonly clientApi: () => Promise<string | undefined>;
  readonly shell: () => Promise<ShellLook>;
  readonly localRoutes = once(routesHere);

  constructor(context: MachineContext, options: DoctorOptions, signal: AbortSignal) {
    this.context = context;
    this.looking = boundedFurther(context);
    this.options = options;
    this.signal = signal;
    this.clientApi = once(async () => await clientApiOf(context));
    this.shell = once(async () => await shellOf(context));
  }
}

/** Of no engine's, so that none is asked. */
async function clientApiOf({ processes, computer }: MachineContext): Promise<string | undefined> {
  if ((await processes.find("docker")) === undefined) return undefined;
  const env = { PATH: computer.env["PATH"], HOME: computer.homeDir, DOCKER_HOST: "unix:///dev/null" };
  const args = ["version", "--format", "{{.Client.DefaultAPIVersion}}"];
  const result = await processes.run("docker", args, { env, timeoutMs: clientMs }).catch(() => undefined);
  return /^\d+\.\d+/u.exec(result?.stdout.toString("utf8") ?? "")?.[0];
}

async function shellOf(context: MachineContext): Promise<ShellLook> {
  const { env } = context.computer;
  const names = await context.store.list().catch(() => []);
  const urls = await Promise.all(names.map(async (name) => ({ name, url: await recordedUrl(context, name) })));
  const certPath = env["DOCKER_CERT_PATH"] ?? "";
  return {
    env,
    urls: urls.map(({ url }) => url),
    names,
    proxied: urls.filter(({ url }) => isProxied(url, env)).map(({ name }) => name),
    certPathExists: certPath === "" || (await rightsOf(certPath)) !== undefined,
  };
}

async function recordedUrl(context: MachineContext, name: string): Promise<string> {
  try {
    await using host = await openHost(context, name);
    // A plugin is a process; what it would say is not worth one here.
    return host.module.capabilities.opaque === true ? "" : await engineUrlOf(host);
  } catch {
    return "";
  }
}

function isProxied(url: string, env: ShellLook["env"]): boolean {
  if (!url.startsWith("tcp:")) return false;
  try {
    return proxyFor(new URL(url.replace(/^tcp:/u, "https:")), env) !== undefined;
  } catch {
    return false;
  }
}

const neverAMachine = async (): Promise<never> => {
  throw new TypeError("This computer is no machine");
};

/** What only one kind of subject has. */
const noMachine = {
  isOverSsh: false,
  enginePort: undefined,
  folder: neverAMachine,
  record: neverAMachine,
  driver: neverAMachine,
  provider: neverAMachine,
  resolve: neverAMachine,
  ssh: neverAMachine,
  engine: neverAMachine,
  certificates: neverAMachine,
  drift: neverAMachine,
  published: neverAMachine,
} as const;

export function thisComputerAs(visit: Visit): Subject {
  const { context } = visit;
  const { store, computer, clock } = context;
  const chmod = async (file: string, mode: number): Promise<void> => await setMode(file, mode);
  return {
    ...noMachine,
    name: undefined,
    now: () => clock.now(),
    store: once(async () => {
      const folders = [store.root, store.certsDir, path.join(store.root, "machines")];
      const rights = (await Promise.all(folders.map(rightsOf))).flatMap((found) => found ?? []);
      return await lookAtFiles(store.root, [...rights, ...(await rightsIn(store.certsDir)).slice(1)], computer.uid);
    }),
    shell: visit.shell,
    clientApi: visit.clientApi,
    localRoutes: visit.localRoutes,
    repairs: {
      chmod,
      saveAddress: neverAMachine,
      runAsRoot: neverAMachine,
      provision: neverAMachine,
      regenerateCertificates: neverAMachine,
      watchPorts: neverAMachine,
    },
  };
}

/** A machine that can be opened, or why it cannot. The caller closes it. */
export class MachineSubject implements Subject, AsyncDisposable {
  readonly name: string;
  readonly isOverSsh: boolean;
  enginePort: number | undefined;
  readonly #visit: Visit;
  readonly #opened: Host | MachineError;
  readonly store: Subject["store"] = neverAMachine;
  readonly shell: Subject["shell"];
  readonly clientApi: Subject["clientApi"];
  readonly localRoutes: Subject["localRoutes"];

  private constructor(visit: Visit, name: string, opened: Host | MachineError) {
    this.#visit = visit;
    this.name = name;
    this.#opened = opened;
    this.isOverSsh = !isMachineError(opened) && isOverSsh(opened);
    this.shell = visit.shell;
    this.clientApi = visit.clientApi;
    this.localRoutes = visit.localRoutes;
  }

  static async open(visit: Visit, name: string): Promise<MachineSubject> {
    return new MachineSubject(visit, name, await openHost(visit.looking, name).catch(asMachineError));
  }

  now(): Date {
    return this.#visit.context.clock.now();
  }

  get #host(): Host {
    if (isMachineError(this.#opened)) throw this.#opened;
    return this.#opened as Host;
  }

  readonly folder = once(async (): Promise<StoreLook> => {
    const { store, computer } = this.#visit.context;
    const dir = store.machineDir(this.name);
    return await lookAtFiles(dir, await rightsIn(dir), computer.uid);
  });

  readonly record = once(async (): Promise<RecordLook> => {
    const opened = this.#opened;
    if (isMachineError(opened)) return isRecordError(opened) ? { error: opened } : {};
    const host = this.#host;
    const journal = await findInterruption(this.#visit.context.store, this.name);
    if (journal === undefined) return {};
    return { interruption: { what: whatHappened(journal), wayOut: wayOut(host.name, journal, host.module.capabilities) } };
  });

  readonly driver = once(async (): Promise<{ error?: MachineError }> => {
    if (isMachineError(this.#opened)) return { error: this.#opened };
    const host = this.#host;
    try {
      await host.driver.getIp();
      const marked = markedTextOf(host.record);
      await (await Vault.load(this.#visit.context, host.dir)).resolve(marked);
      return {};
    } catch (error) {
      return isMachineError(error, "machine-not-running") ? {} : { error: asMachineError(error) };
    }
  });

  readonly provider = once(async (): Promise<ProviderLook | undefined> => {
    const host = this.#host;
    // Of a box that exists SSH tells whether it runs; its driver would connect for the answer.
    if (host.module.capabilities.adopted || !isProvisioned(host)) return undefined;
    const { looking: context, signal } = this.#visit;
    const recordedAddress = await host.driver.getIp();
    try {
      const state = await stateOf(context, host, signal);
      const found = { state, recordedAddress, wayToRun: wayToRun(host, state) };
      if (state !== "Running" || host.driver.locate === undefined) return found;
      return { ...found, presentAddress: await ask(context, host, signal).catch(() => undefined) };
    } catch (error) {
      signal.throwIfAborted();
      return { error: asMachineError(error), recordedAddress, wayToRun: "" };
    }
  });

  readonly resolve = once(async (): Promise<NameLook | undefined> => {
    const host = this.#host;
    const name = await host.driver.getSshHostname();
    if (name === "" || host.driver.sshConfigHost !== undefined || isIpAddress(name)) return undefined;
    const { looking, signal } = this.#visit;
    const late = (): MachineError =>
      new MachineError("timeout", `No name server told within ${formatBound(doctorBounds.nameMs)} what ${name} is`);
    return await within(
      { ms: doctorBounds.nameMs, clock: looking.clock, signal },
      async (bound) => ({ name, ...(await unlessAborted(addressesOf(name), bound)) }),
      late,
    ).catch((error: unknown) => {
      signal.throwIfAborted();
      return { name, addresses: [], error: messageOf(error) };
    });
  });

  readonly ssh = once(async (): Promise<SshLook | undefined> => {
    const host = this.#host;
    const { looking: context, signal, options } = this.#visit;
    const target = await host.sshTarget().catch((error: unknown) => {
      if (isMachineError(error, "driver-unsupported")) return undefined;
      throw error;
    });
    if (target === undefined || !isProvisioned(host)) return undefined;
    // Both ways at the same time: neither is the other's proof.
    this.engine().catch(() => {});
    try {
      const bare = await bareRequest(context, host);
      this.enginePort = bare.engine.port;
      await using ssh = await host.openSsh();
      await ssh.connect(signal);
      const request = { ...bare, sudoPassword: async () => await recordedSudoPassword(context, host) };
      return { examination: await examineHost(request, provisionContext(context, host, ssh, signal), options) };
    } catch (error) {
      signal.throwIfAborted();
      return { error: asMachineError(error), keyFile: target.identityFile ?? "" };
    }
  });

  readonly engine = once(async (): Promise<EngineLook | undefined> => {
    const host = this.#host;
    const { looking: context, signal } = this.#visit;
    if (this.isOverSsh) return undefined;
    const url = await engineUrlOf(host).catch(() => "");
    if (url === "") return undefined;
    try {
      const client = await engineClientOf(context, host, url, signal, "by-address", doctorBounds.engineMs);
      const version: EngineVersion = await client.version();
      return { url, version };
    } catch (error) {
      signal.throwIfAborted();
      return { url, error: asMachineError(error) };
    }
  });

  readonly certificates = once(async (): Promise<CertificateLook[]> => {
    const host = this.#host;
    const { CaCertPath, ClientCertPath } = host.record.hostOptions.AuthOptions;
    const files = [
      { what: "The CA certificate", file: CaCertPath, isShared: true },
      { what: "The client certificate", file: ClientCertPath, isShared: true },
      { what: `The certificate of "${host.name}"`, file: engineCertificateOf(host), isShared: false },
    ];
    const looks = await Promise.all(
      files.map(async ({ what, file, isShared }) => {
        const facts = await loadCertificateFacts(file).catch(() => undefined);
        const state = facts && validityState(facts, this.now());
        if (facts === undefined || state === undefined || state === "valid") return [];
        return [{ what, state, isShared, sentence: validityWarning(what, facts, this.now()) ?? "" }];
      }),
    );
    return looks.flat();
  });

  readonly drift = once(async (): Promise<Drift[]> => await integrationDrift(this.#visit.context, this.#host));

  readonly published = once(async () => {
    const isRunning = (await this.#host.driver.containerPorts?.run()) !== undefined;
    return isRunning ? await publishedFacts(this.#host) : undefined;
  });

  readonly repairs: Repairs = {
    watchPorts: async () => await keepPublished(this.#visit.context, this.#host),
    chmod: async (file, mode) => await setMode(file, mode),
    saveAddress: async (signal) => {
      const { context } = this.#visit;
      await using lock = await lockMachine(context, this.name, "doctor", signal);
      await using host = await openHost(context, this.name);
      await locate(context, host, lock.signal);
    },
    runAsRoot: async (script, signal) => {
      const { context } = this.#visit;
      const host = this.#host;
      await using ssh = await host.openSsh();
      const password = async (): Promise<string | undefined> => await recordedSudoPassword(context, host);
      const options = { label: host.name, password, timeoutMs: context.timeouts.configureMs, signal };
      const { status, stderr } = await runRootScript(ssh, script, options);
      if (status !== 0)
        throw new MachineError("remote-command", `"${script}" ended with status ${status}: ${stderr.toString("utf8").trim()}`);
    },
    provision: async (signal) => await provisionAgain(this.#visit.context, this.name, signal),
    regenerateCertificates: async (signal) => await regenerateCertificates(this.#visit.context, this.name, signal),
  };

  async [Symbol.asyncDispose](): Promise<void> {
    if (!isMachineError(this.#opened)) await this.#host[Symbol.asyncDispose]();
  }
}

function isRecordError({ code }: MachineError): boolean {
  return ["record-unreadable", "record-from-future", "store-unusable", "machine-not-found"].includes(code);
}
