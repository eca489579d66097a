/** How a folder becomes a team's store, and stops being one. */
import * as path from "node:path";
import { MachineError } from "../errors/machine-error.ts";
import { removeFolder } from "../store/foreign-files.ts";
import { teamFileName } from "../store/paths.ts";
import { removeFile } from "../system/files.ts";
import { checkLedger, type Probe } from "./check-ledger.ts";
import { acceptInvitation } from "./invitation.ts";
import { awaitMembership, findTeam, foundTeam, recipientIn } from "./membership.ts";
import { teamContext } from "./open-team.ts";
import { SyncState } from "./sync-state.ts";
import type { TeamContext, TeamSurroundings } from "./team-context.ts";
import { readTeamFile, writeTeamFile, type TeamFile } from "./team-file.ts";

/** As a person says it: where, as whom, and by which login. */
export type TeamRequest = Omit<TeamFile, "version" | "team">;

/** For so long `join` waits to be added. */
export const joinMs = 600_000;

/**
 * Makes the team's store at the address, after that was put to the test, and this folder a part of it. Throws
 * `store-refused` for a database that fails, or has a team's store.
 */
export async function initTeam(surroundings: TeamSurroundings, request: TeamRequest, signal: AbortSignal): Promise<TeamContext> {
  await requireNoTeam(surroundings.root);
  const context = teamContext(surroundings, { version: 1, ...request, team: crypto.randomUUID() });
  await using ledger = await context.openLedger();
  await ledger.prepare(signal);
  requirePassed(await checkLedger(ledger, signal));
  await foundTeam(context, signal);
  await writeTeamFile(surroundings.root, context.file);
  return context;
}

/**
 * Makes this folder a part of the team's store at the address, once a member has added this person.
 * @param tell what the member needs
 * @param token of an invitation: nobody is waited for
 */
export async function joinTeam(
  surroundings: TeamSurroundings,
  request: TeamRequest,
  tell: (recipient: string) => void,
  signal: AbortSignal,
  token?: string,
): Promise<TeamContext> {
  await requireNoTeam(surroundings.root);
  const asking = teamContext(surroundings, { version: 1, ...request, team: "" });
  const recipient = await recipientIn(asking);
  const roster = await findRoster(asking, signal);
  if (roster === undefined)
    throw new MachineError("store-refused", "There is no team's store at that address", {
      hint: "Who begins makes it with: docker-machine store init URL",
    });
  const context = teamContext(surroundings, { ...asking.file, team: roster.team });
  const isIn = Object.values(roster.members).some((member) => member.recipient === recipient);
  if (!isIn && token === undefined) tell(recipient);
  // Who was cut off after the token was used is a member.
  const joining =
    !isIn && token !== undefined ? acceptInvitation(context, token, signal) : awaitMembership(context, joinMs, signal);
  const { members } = await joining;
  const name = Object.keys(members).find((each) => members[each]?.recipient === recipient) ?? request.member;
  const joined = teamContext(surroundings, { ...context.file, member: name });
  await writeTeamFile(surroundings.root, joined.file);
  return joined;
}

async function findRoster(context: TeamContext, signal: AbortSignal): ReturnType<typeof findTeam> {
  await using ledger = await context.openLedger();
  return await findTeam(ledger, signal);
}

/** The folder is a store of this computer again, with all that is in it. Nobody in the team notices. */
export async function leaveTeam(root: string): Promise<void> {
  await removeFile(path.join(root, teamFileName));
  await removeFolder(new SyncState(root).folder);
}

async function requireNoTeam(root: string): Promise<void> {
  const file = await readTeamFile(root);
  if (file === undefined) {
    // What was known of another team says nothing of this one.
    await removeFolder(new SyncState(root).folder);
    return;
  }
  throw new MachineError("usage", `${root} is a team's store already: ${file.url}`, {
    hint: "To leave that one: docker-machine store leave",
  });
}

function requirePassed(probes: readonly Probe[]): void {
  const failed = probes.filter(({ passed }) => !passed).map(({ what }) => what);
  if (failed.length === 0) return;
  throw new MachineError("store-refused", `The database cannot hold a team's store. It did not keep: ${failed.join("; ")}`, {
    hint: "Locks on it would be none. etcd and PostgreSQL keep all of this; what stands between them and here may not.",
  });
}
