/** A team's store as its file describes it. */
import * as path from "node:path";
import { isMachineError, MachineError } from "../errors/machine-error.ts";
import { teamFileName } from "../store/paths.ts";
import { readRegularFileIfExists } from "../system/files.ts";
import type { Clock } from "../system/clock.ts";
import type { Ledger } from "./ledger.ts";
import { openLedger } from "./open-ledger.ts";
import { parsePlace, type TeamLogin } from "./place.ts";
import { SyncState } from "./sync-state.ts";
import type { TeamContext, TeamSurroundings } from "./team-context.ts";
import { readTeamFile, type TeamFile } from "./team-file.ts";
import { TeamStore } from "./team-store.ts";

/** Throws where the folder is no team's store. Asks nobody yet. */
export async function openTeam(surroundings: TeamSurroundings): Promise<TeamContext> {
  const file = await readTeamFile(surroundings.root);
  if (file === undefined)
    throw new MachineError("store-unusable", `${surroundings.root} is no team's store`, {
      hint: "Make it one with docker-machine store init URL, or docker-machine store join URL.",
    });
  return teamContext({ ...surroundings, resolveSecret: explained(surroundings) }, file);
}

/** What says where a secret is, is the store's file from now on. */
function explained({ root, resolveSecret }: TeamSurroundings): (reference: string) => Promise<string> {
  return async (reference) => {
    try {
      return await resolveSecret(reference);
    } catch (cause) {
      if (!isMachineError(cause, "secret-unavailable")) throw cause;
      const hint = `Make it available there, or name another place in ${path.join(root, teamFileName)}.`;
      throw new MachineError(cause.code, cause.message, { cause, hint });
    }
  };
}

export function teamContext(surroundings: TeamSurroundings, file: TeamFile): TeamContext {
  const { root, clock, resolveSecret } = surroundings;
  const openLedger = async (): Promise<Ledger> => await ledgerOf(file, clock, resolveSecret);
  return { ...surroundings, file, state: new SyncState(root), openLedger };
}

export async function openTeamStore(surroundings: TeamSurroundings): Promise<TeamStore> {
  return TeamStore.open(await openTeam(surroundings));
}

/** Asks nobody yet. The caller ends it. */
async function ledgerOf(
  file: Pick<TeamFile, "url" | "user" | "password" | "ca" | "certificate" | "key">,
  clock: Clock,
  resolveSecret: (reference: string) => Promise<string>,
): Promise<Ledger> {
  const { url, user, password, ca, certificate, key } = file;
  const login: TeamLogin = {
    user,
    password: password === undefined ? undefined : async () => await resolveSecret(password),
    roots: ca === undefined ? undefined : await pemOf(ca),
    client:
      certificate === undefined || key === undefined
        ? undefined
        : { certificate: await pemOf(certificate), key: await pemOf(key) },
  };
  return await openLedger(parsePlace(url), login, clock);
}

async function pemOf(file: string): Promise<string> {
  const bytes = await readRegularFileIfExists(file);
  if (bytes !== undefined) return bytes.toString("utf8");
  throw new MachineError("certificate-invalid", `${file}, which team.json names, does not exist`);
}
