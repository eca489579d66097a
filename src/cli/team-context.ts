/** What commands on a team's store are given, and how they tell of it. */
import * as path from "node:path";
import { teamSurroundings } from "../assembly/team-surroundings.ts";
import type { DriverOptions } from "../driver-kit/create-flag.ts";
import { MachineError } from "../errors/machine-error.ts";
import type { LockRequest } from "../store/store.ts";
import { prepareAuthority } from "../machine/certificates.ts";
import type { MachineContext } from "../machine/machine-context.ts";
import { parseOrigin } from "../machine/secrets/secret-source.ts";
import { isPersonName } from "../provision/scripts/guests-script.ts";
import type { TeamRequest } from "../team/enter-team.ts";
import type { TeamLook } from "../team/look-at-team.ts";
import { openTeam } from "../team/open-team.ts";
import { TeamStore } from "../team/team-store.ts";
import { ensureIdentity } from "../team/own-identity.ts";
import type { TeamContext, TeamSurroundings } from "../team/team-context.ts";
import { formatInstant } from "../system/time-text.ts";
import type { CliContext } from "./cli-context.ts";
import { readNamedFile } from "./named-file.ts";
import { openContext } from "./open-context.ts";
import { settingsFileOf } from "./settings/settings-place.ts";

export function surroundingsOf(machines: MachineContext): TeamSurroundings {
  return teamSurroundings(machines.store.root, machines);
}

/** Throws `store-unusable` for a store of one computer. */
export async function openTeamContext(context: CliContext): Promise<TeamContext> {
  return await openTeam(surroundingsOf(openContext(context)));
}

/** What `init` and `join` were told. Makes an identity where none was named. Throws `usage` for a password in the open. */
export async function requestOf(url: string, options: DriverOptions, context: CliContext): Promise<TeamRequest> {
  const { computer } = context;
  const given = (name: string): string | undefined => options.string(name) || undefined;
  const file = async (name: string): Promise<string | undefined> => {
    const value = given(name);
    if (value === undefined) return undefined;
    await readNamedFile(value, `--${name} names it. Check the path.`, context);
    return path.resolve(computer.cwd, value);
  };
  if ((given("client-cert") === undefined) !== (given("client-key") === undefined))
    throw new MachineError("usage", "--client-cert and --client-key go together", {
      hint: "The database is shown the certificate, and its key proves it.",
    });
  return {
    url,
    isNamed: given("name") !== undefined,
    member: memberName(given("name") ?? computer.userName, "Give one with --name"),
    user: given("user"),
    password: referenceOf("password", given("password"), context),
    ca: await file("ca"),
    certificate: await file("client-cert"),
    key: await file("client-key"),
    identity: referenceOf("identity", given("identity"), context) ?? (await ownIdentity(context)),
  };
}

/** It is copied into command lines. Throws `usage`. */
export function memberName(name: string, wayOut = "Choose one"): string {
  if (isPersonName(name)) return name;
  throw new MachineError("usage", `${JSON.stringify(name)} cannot be a member's name`, {
    hint: `${wayOut}: letters, digits, dots, dashes and @, 64 at most.`,
  });
}

/** Throws `usage` for a secret in the open. */
export function referenceOf(flag: string, given: string | undefined, { computer }: CliContext): string | undefined {
  if (given === undefined) return undefined;
  const origin = parseOrigin(given, computer);
  if ("reference" in origin) return origin.reference;
  throw new MachineError("usage", `--${flag} takes no secret itself, which others could see: it says where that is`, {
    hint: `Give it as --${flag} file:PATH, keychain:SERVICE, cmd:COMMAND or env:NAME.`,
  });
}

async function ownIdentity({ computer }: CliContext): Promise<string> {
  const settings = settingsFileOf(computer);
  if (settings === undefined)
    throw new MachineError("usage", "It is not known where your identity may be kept", {
      hint: "Say it with --identity file:PATH.",
    });
  const file = path.join(path.dirname(settings), "identity");
  await ensureIdentity(file);
  return `file:${file}`;
}

export interface OpenedTeamStore {
  readonly store: TeamStore;
  /** A wish for a machine's lock, on behalf of a command. */
  readonly request: (purpose: string) => LockRequest;
}

/** Throws as {@link openTeamContext}. */
export async function openTeamStoreOf(context: CliContext): Promise<OpenedTeamStore> {
  const store = TeamStore.open(await openTeamContext(context));
  const { lockMs } = openContext(context).timeouts;
  return { store, request: (purpose) => ({ purpose, waitMs: lockMs, signal: context.signal }) };
}

/**
 * The team has this store's authority, or this store that of the team; a client certificate of that is here, and in the
 * folders of the team's machines.
 */
export async function shareAuthority(context: CliContext): Promise<void> {
  // What was opened before the store became a team's does not know that.
  const machines = openContext(context);
  const request = { purpose: "sharing the certificates", waitMs: machines.timeouts.lockMs, signal: context.signal };
  await (await machines.store.lockCertificates(request)).release();
  await prepareAuthority(machines, context.signal);
  await machines.store.list();
}

/** With the folder that it is here. */
export type ShownTeam = TeamLook & { readonly folder: string };

export function printLook(look: ShownTeam, context: CliContext): void {
  if (context.globals.output === "json") context.printJson(look);
  else for (const line of linesOf(look)) context.print(line);
}

function linesOf({ folder, url, member, recipient, members, invited, machines }: ShownTeam): string[] {
  return [
    `Folder:    ${folder}`,
    `Team:      ${url}`,
    `Machines:  ${machines}`,
    `You:       ${member}, ${recipient}`,
    ...members.map(
      ({ name, since }, index) => `${index === 0 ? "Members:  " : "          "} ${name}, since ${since.slice(0, 10)}`,
    ),
    ...invited.map(({ name, until }) => `Invited:   ${name}, until ${formatInstant(new Date(until))}`),
  ];
}
