/**
 * What a look for drift is given: a store that cannot be written or locked, and a connection over which the one script that
 * looks can be run, and nothing else. A look that would change something is a bug, and fails as one.
 */
import type { MachineContext } from "../../machine/machine-context.ts";
import type { SshExecutor, SshResult, SshRunOptions, SshTarget } from "../../ssh/executor.ts";
import type { Store } from "../../store/store.ts";

type Change = Exclude<keyof Store, keyof ReadableStore>;
type ReadableStore = Pick<
  Store,
  "root" | "certsDir" | "cacheDir" | "machineDir" | "list" | "has" | "load" | "facts" | "loadText" | "isLocked" | "buried"
>;

function readOnlyStore(store: ReadableStore): Store {
  const refuse = (what: string) => async (): Promise<never> =>
    await Promise.reject(new Error(`A look for drift changes nothing, and wanted to ${what}`));
  const changes: Pick<Store, Change> = {
    create: refuse("create a record"),
    save: refuse("save a record"),
    remove: refuse("remove a record"),
    rename: refuse("rename a record"),
    bury: refuse("bury a record"),
    publish: refuse("publish a record"),
    lockMachine: refuse("lock a machine"),
    lockFleet: refuse("lock a fleet"),
    lockCertificates: refuse("lock the certificates"),
    sweep: refuse("clean up"),
  };
  return {
    ...changes,
    root: store.root,
    certsDir: store.certsDir,
    cacheDir: store.cacheDir,
    machineDir: (name) => store.machineDir(name),
    list: async () => await store.list(),
    has: async (name) => await store.has(name),
    load: async (name) => await store.load(name),
    facts: async (pick) => await store.facts(pick),
    loadText: async (name) => await store.loadText(name),
    isLocked: async (name) => await store.isLocked(name),
    get buried() {
      return readOnlyStore(store.buried);
    },
  };
}

/** Drivers may find out by it whether somebody answers; commands run over {@link openForLook} alone. Nobody is asked for a password. */
export function readOnlyContext(context: MachineContext): MachineContext {
  return {
    ...context,
    store: readOnlyStore(context.store),
    openSsh: async (target, report) => new LookingExecutor(await context.openSsh(unpinning(target), report), undefined),
    askSudoPassword: async () => await Promise.resolve(undefined),
  };
}

/** @param script all that is ever run, as standard input of a shell */
export async function openForLook(context: MachineContext, target: SshTarget, script: string): Promise<SshExecutor> {
  return new LookingExecutor(await context.openSsh(unpinning(target), context.reportFor(target.hostKeys.alias)), script);
}

/** A key that nobody knows is not taken for good. */
function unpinning(target: SshTarget): SshTarget {
  return { ...target, hostKeys: { ...target.hostKeys, unknown: "refuse" } };
}

class LookingExecutor implements SshExecutor {
  readonly #ssh: SshExecutor;
  readonly #script: string | undefined;

  constructor(ssh: SshExecutor, script: string | undefined) {
    this.#ssh = ssh;
    this.#script = script;
  }

  async connect(signal?: AbortSignal): Promise<void> {
    await this.#ssh.connect(signal);
  }

  async run(command: string, options: SshRunOptions = {}): Promise<SshResult> {
    // The first line is for sudo, which may want a password there.
    const afterFirstLine = String(options.stdin ?? "").replace(/^[^\n]*/u, "");
    if (this.#script === undefined || afterFirstLine !== this.#script)
      throw new Error(`A look for drift runs nothing else: ${command}`);
    return await this.#ssh.run(command, options);
  }

  async session(): Promise<number> {
    return await Promise.reject(new Error("A look for drift opens no session"));
  }

  get roundTrips(): number {
    return this.#ssh.roundTrips;
  }

  async close(): Promise<void> {
    await this.#ssh.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
