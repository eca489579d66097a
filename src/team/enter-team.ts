/** How a folder becomes a team's store, and stops being one. */
import * as path from "node:path";
import { MachineError } from "../errors/machine-error.ts";
import { FileStore } from "../store/file-store.ts";
import { removeFolder } from "../store/foreign-files.ts";
import { keptCertsDirOf } from "../store/kept-certs.ts";
import { teamFileName } from "../store/paths.ts";
import { removeFile } from "../system/files.ts";
import type { LockRequest } from "../store/store.ts";
import { bringBackAuthority, machinesWith, type Swapped } from "./authority-swap.ts";
import { checkLedger, type Probe } from "./check-ledger.ts";
import { acceptInvitation } from "./invitation.ts";
import type { Roster } from "./roster.ts";
import { awaitMembership, findTeam, foundTeam, recipientIn } from "./membership.ts";
import { teamContext } from "./open-team.ts";
import { storeNameIn } from "./place.ts";
import { SyncState } from "./sync-state.ts";
import type { TeamContext, TeamSurroundings } from "./team-context.ts";
import { readTeamFile, writeTeamFile, type TeamFile } from "./team-file.ts";
import { authorityKey } from "./team-ledger.ts";

/** As a person says it: where, as whom, and by which login. */
export type TeamRequest = Omit<TeamFile, "version" | "team"> & {
  /** That is who they want to be in the team; else it is a proposal. */
  readonly isNamed?: boolean | undefined;
};

/** Whose engines believe the authority that this store has, and where that is kept once the team's has its place. */
export interface OwnAuthority {
  readonly machines: readonly string[];
  readonly keptIn: string;
}

/** What joining the team at an address would mean for machines that are here. Asks nobody. */
export async function ownAuthority({ root, clock }: TeamSurroundings, url: string): Promise<OwnAuthority> {
  const store = new FileStore(root, clock);
  const machines: string[] = [];
  for (const name of await machinesWith(store, store.certsDir))
    if ((await store.load(name)).extra.EngineTransport !== "ssh") machines.push(name);
  return { machines, keptIn: keptCertsDirOf(root, "before", storeNameIn(url)) };
}

/** For so long `join` waits to be added. */
export const joinMs = 600_000;

/**
 * Makes the team's store at the address, after that was put to the test, and this folder a part of it. Throws
 * `store-refused` for a database that fails, or has a team's store.
 */
export async function initTeam(surroundings: TeamSurroundings, request: TeamRequest, signal: AbortSignal): Promise<TeamContext> {
  await requireNoTeam(surroundings.root);
  const { isNamed: _, ...file } = request;
  const context = teamContext(surroundings, { version: 1, ...file, team: crypto.randomUUID() });
  await using ledger = await context.openLedger();
  await ledger.prepare(signal);
  requirePassed(await checkLedger(ledger, signal));
  await foundTeam(context, signal);
  await writeTeamFile(surroundings.root, context.file);
  return context;
}

export interface Joining {
  /** Told what the member needs who adds this person. */
  readonly tell: (recipient: string) => void;
  /** Asked once it is known that there is a team to join; nobody is a member yet. */
  readonly agree: () => Promise<boolean>;
  /** Of an invitation: nobody is waited for. */
  readonly token?: string | undefined;
}

/**
 * Makes this folder a part of the team's store at the address, once a member has added this person. Undefined where that is not
 * agreed to. Throws `usage` for who wants another name than they have in the team, or than their invitation is for; that stays
 * good then.
 */
export async function joinTeam(
  surroundings: TeamSurroundings,
  { isNamed, ...request }: TeamRequest,
  { tell, agree, token }: Joining,
  signal: AbortSignal,
): Promise<TeamContext | undefined> {
  await requireNoTeam(surroundings.root);
  const asking = teamContext(surroundings, { version: 1, ...request, team: "" });
  const recipient = await recipientIn(asking);
  const roster = await findRoster(asking, signal);
  if (roster === undefined)
    throw new MachineError("store-refused", "There is no team's store at that address", {
      hint: "Who begins makes it with: docker-machine store init URL",
    });
  const context = teamContext(surroundings, { ...asking.file, team: roster.team });
  const known = nameOf(roster, recipient);
  if (known !== undefined && isNamed === true && known !== request.member) throw otherName(known, request.member);
  if (!(await agree())) return undefined;
  if (known === undefined && token === undefined) tell(recipient);
  // Who was cut off after the token was used is a member.
  const joining =
    known === undefined && token !== undefined
      ? acceptInvitation(context, token, signal, isNamed === true ? request.member : undefined)
      : awaitMembership(context, joinMs, signal);
  const joined = teamContext(surroundings, { ...context.file, member: nameOf(await joining, recipient) ?? request.member });
  await writeTeamFile(surroundings.root, joined.file);
  return joined;
}

function nameOf({ members }: Roster, recipient: string): string | undefined {
  return Object.keys(members).find((each) => members[each]?.recipient === recipient);
}

function otherName(known: string, wanted: string): MachineError {
  return new MachineError("usage", `Your identity is in the team already, as ${known} and not as ${wanted}`, {
    hint: `Leave --name out to join as ${known}; --identity names another identity, for another member.`,
  });
}

async function findRoster(context: TeamContext, signal: AbortSignal): ReturnType<typeof findTeam> {
  await using ledger = await context.openLedger();
  return await findTeam(ledger, signal);
}

/**
 * The folder is a store of this computer again, with all that is in it, and with the certificate authority that it had before.
 * Nobody in the team notices. Undefined where it goes on with the team's. Throws `machine-busy`, and is in the team then.
 */
export async function leaveTeam({ root, clock, state, file }: TeamContext, lock: LockRequest): Promise<Swapped | undefined> {
  const store = new FileStore(root, clock);
  await using _lock = await store.lockCertificates(lock);
  // Who is cut off behind this is in the team, and takes its authority again.
  await state.setItem(authorityKey, undefined);
  await state.setHead({ revision: 0, at: clock.now().toISOString() });
  const swapped = await bringBackAuthority(store, storeNameIn(file.url), lock);
  await removeFile(path.join(root, teamFileName));
  await removeFolder(state.folder);
  return swapped;
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
