/** A team at a real database: members with a store and an identity of their own, who use one fake cloud. */
import { mkdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { teamSurroundings } from "../../src/assembly/team-surroundings.ts";
import { newIdentity } from "../../src/team/age.ts";
import { addMember, awaitMembership, foundTeam, recipientIn } from "../../src/team/membership.ts";
import { teamContext } from "../../src/team/open-team.ts";
import type { TeamContext } from "../../src/team/team-context.ts";
import { writeTeamFile, type TeamFile } from "../../src/team/team-file.ts";
import { safetyContext } from "../safety/safety-context.ts";

const never = new AbortController().signal;

export type Login = Pick<TeamFile, "url" | "user" | "password" | "ca">;

export interface Colleague {
  readonly name: string;
  readonly storePath: string;
  readonly context: TeamContext;
}

/** Founds a team of these people; each store is as `store init` or `store join` leaves it. */
export async function teamOf(
  folder: string,
  login: Login | ((name: string) => Login),
  names: readonly string[],
): Promise<Colleague[]> {
  const team = crypto.randomUUID();
  const colleagues: Colleague[] = [];
  for (const name of names) {
    const storePath = path.join(folder, name, "store");
    const identityFile = path.join(folder, name, "identity");
    mkdirSync(storePath, { recursive: true });
    writeFileSync(identityFile, await newIdentity(), { mode: 0o600 });
    const file: TeamFile = {
      version: 1,
      ...(typeof login === "function" ? login(name) : login),
      team,
      member: name,
      identity: `file:${identityFile}`,
    };
    const surroundings = teamSurroundings(storePath, safetyContext(storePath));
    const colleague = { name, storePath, context: teamContext(surroundings, file) };
    const founder = colleagues[0];
    if (founder === undefined) await foundTeam(colleague.context, never);
    else {
      await addMember(founder.context, name, await recipientIn(colleague.context), never);
      await awaitMembership(colleague.context, 0, never);
    }
    await writeTeamFile(storePath, file);
    colleagues.push(colleague);
  }
  return colleagues;
}
