/**
 * The one place where the outside world, the drivers and the use cases are put together: for the program, the library
 * and the test rigs alike. Knows nothing of terminals.
 */
import type { DriverModule } from "../driver-kit/driver.ts";
import type { Report } from "../log/event.ts";
import { Redactor } from "../log/redact.ts";
import type { MachineContext } from "../machine/machine-context.ts";
import { SecretSource } from "../machine/secrets/secret-source.ts";
import { defaultTimeouts, type Timeouts } from "../machine/timeouts.ts";
import { FileStore } from "../store/file-store.ts";
import type { Store } from "../store/store.ts";
import { isTeamStore } from "../store/team-mark.ts";
import { systemClock } from "../system/clock.ts";
import type { Computer } from "../system/computer.ts";
import { LazyHttp } from "./lazy-http.ts";
import { LazyTeamStore } from "./lazy-team-store.ts";
import { SystemProcessRunner } from "../system/process.ts";
import { authorityPaths, type NamedPaths } from "../tls/authority-files.ts";
import { findDriver, findPluginOf, findWriter } from "./driver-catalog.ts";

export interface AssemblyOptions {
  readonly computer: Computer;
  /** The store's root. Absolute. */
  readonly storePath: string;
  /** Where events go: those of one machine, or of none in particular. */
  reportFor(machineName: string | undefined): Report;
  readonly redactor?: Redactor | undefined;
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** Files of the PKI that are not the store's own. */
  readonly certificates?: NamedPaths | undefined;
  /** Whether SSH is the built-in client's; otherwise the OpenSSH client's where there is one. */
  readonly nativeSsh?: boolean | undefined;
  /** The command line that starts this program: where it is given, what serves machines in the background is started. */
  readonly ownProgram?: readonly string[] | undefined;
  /** Ends plugins that are being started. */
  readonly signal?: AbortSignal | undefined;
  /** Nobody is asked where it is absent. */
  askSudoPassword?(machineName: string): Promise<string | undefined>;
}

/** The real store, clock, processes and drivers of a computer. Does no I/O but for one look: whether the store is a team's. */
export function assemble(options: AssemblyOptions): MachineContext {
  const { computer, signal } = options;
  const processes = new SystemProcessRunner(computer);
  const timeouts = { ...defaultTimeouts, ...options.timeouts };
  const secrets = new SecretSource({ computer, processes, timeoutMs: timeouts.secretMs });
  const redactor = options.redactor ?? new Redactor();
  const reportFor = (machineName: string | undefined): Report => options.reportFor(machineName);
  const store = openStore(options.storePath, { computer, secrets, redactor, reportFor });
  const named = memoized(async (name) => await findDriver(name, computer, timeouts, signal));
  const plugins = memoized(async (name) => await findPluginOf(name, computer, timeouts, signal));
  return {
    store,
    computer,
    processes,
    http: new LazyHttp({ env: computer.env, clock: systemClock, boundMs: timeouts.providerRequestMs }),
    clock: systemClock,
    redactor,
    certificates: authorityPaths(store.certsDir, options.certificates),
    timeouts,
    secrets,
    findDriver: async (name, storedConfig) => {
      if (storedConfig === undefined) return await named(name);
      return (await findWriter(name, storedConfig)) ?? (await plugins(name));
    },
    openSsh: async (target, report) => {
      const { chooseSshBackend, openSshExecutor } = await import("../ssh/connect.ts");
      const backend = await chooseSshBackend(options.nativeSsh ?? false, processes);
      return await openSshExecutor(backend, target, { computer, processes, clock: systemClock, report });
    },
    ownProgram: options.ownProgram,
    reportFor,
    askSudoPassword: async (machineName) => await options.askSudoPassword?.(machineName),
  };
}

function openStore(root: string, parts: Pick<MachineContext, "computer" | "secrets" | "redactor" | "reportFor">): Store {
  if (!isTeamStore(root)) return new FileStore(root, systemClock);
  return new LazyTeamStore(root, async () => {
    const [{ openTeamStore }, { teamSurroundings }] = await Promise.all([
      import("../team/open-team.ts"),
      import("./team-surroundings.ts"),
    ]);
    return await openTeamStore(teamSurroundings(root, parts));
  });
}

function memoized(find: (name: string) => Promise<DriverModule>): (name: string) => Promise<DriverModule> {
  const found = new Map<string, Promise<DriverModule>>();
  return async (name) => {
    const module = found.get(name) ?? find(name);
    found.set(name, module);
    return await module;
  };
}
