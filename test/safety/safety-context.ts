/** The real store, clock and processes, and the fake cloud's driver. */
import { assemble } from "../../src/assembly/assemble.ts";
import { reportNothing } from "../../src/log/event.ts";
import type { SshExecutor } from "../../src/ssh/executor.ts";
import type { MachineContext } from "../../src/machine/machine-context.ts";
import { LazyTeamStore } from "../../src/assembly/lazy-team-store.ts";
import { teamSurroundings } from "../../src/assembly/team-surroundings.ts";
import type { Store } from "../../src/store/store.ts";
import { isTeamStore } from "../../src/store/team-mark.ts";
import { openTeamStore } from "../../src/team/open-team.ts";
import { FileStore } from "../../src/store/file-store.ts";
import { thisComputer, type Computer } from "../../src/system/computer.ts";
import { driverModule } from "./fake-cloud-driver.ts";

/** The fake cloud's instances let everyone in and do nothing. */
const silentSsh: SshExecutor = {
  roundTrips: 0,
  connect: async () => {},
  run: async () => await Promise.reject(new Error("nothing runs there")),
  session: async () => await Promise.reject(new Error("nothing runs there")),
  close: async () => {},
  [Symbol.asyncDispose]: async () => {},
};

export function safetyContext(
  storePath: string,
  change: Partial<MachineContext> & { readonly env?: Computer["env"] } = {},
): MachineContext {
  const { env, ...others } = change;
  const computer = { ...thisComputer(), ...(env === undefined ? {} : { env }) };
  const assembled = assemble({ computer, storePath, reportFor: () => reportNothing });
  return {
    ...assembled,
    ...(isTeamStore(storePath) ? { store: teamStore(storePath, assembled) } : {}),
    ...(change.clock === undefined ? {} : { store: new FileStore(storePath, change.clock) }),
    findDriver: async (name) => (name === "none" ? (await import("../../src/drivers/none/index.ts")).driverModule : driverModule),
    openSsh: async () => silentSsh,
    ...others,
  };
}

/** Where the fake cloud's machines live is known. */
function teamStore(storePath: string, context: MachineContext): Store {
  return new LazyTeamStore(
    storePath,
    async () => await openTeamStore({ ...teamSurroundings(storePath, context), reachOf: async () => "everybody" }),
  );
}
