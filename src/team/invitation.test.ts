import assert from "node:assert/strict";
import { test } from "node:test";
import { failureOf } from "../../test/support/failure.ts";
import { FakeClock } from "../system/fake-clock.ts";
import { acceptInvitation, invite, withdrawInvitations } from "./invitation.ts";
import { lookAtTeam } from "./look-at-team.ts";
import { MemoryLedger } from "./memory-ledger.ts";
import { addMember, findTeam, recipientIn, removeMember } from "./membership.ts";
import { storedIn } from "./open-invitations.ts";
import { readLog } from "./team-log.ts";
import { TeamScene } from "./testing/team-scene.ts";

const never = new AbortController().signal;
const hourMs = 3_600_000;

async function scene() {
  const clock = new FakeClock();
  const team = new TeamScene(clock);
  const alice = await team.person("alice");
  const members = async (): Promise<string[]> =>
    Object.keys((await findTeam(new MemoryLedger(team.database), never))?.members ?? {});
  return { clock, team, alice, members };
}

test("a token makes one person a member, once, and the team's log says so", async () => {
  const { team, alice, members } = await scene();
  const { token } = await invite(alice.context, "ci", hourMs, never);
  assert.ok(!JSON.stringify(team.database.read("", 0)).includes(token.split(".")[2] ?? ""), "it is not in the database");
  assert.deepEqual(
    (await lookAtTeam(alice.context, never)).invited.map(({ name }) => name),
    ["ci"],
  );
  const runners = [await team.stranger("r1"), await team.stranger("r2")];
  const outcomes = await Promise.allSettled(runners.map(({ context }) => acceptInvitation(context, token, never)));
  assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
  assert.deepEqual(await members(), ["alice", "ci"]);
  const runner = runners[outcomes.findIndex(({ status }) => status === "fulfilled")];
  assert.deepEqual(await runner?.open().list(), [], "it opens the store");
  assert.deepEqual((await lookAtTeam(alice.context, never)).invited, []);
  assert.match(
    (await failureOf(acceptInvitation((await team.stranger("r3")).context, token, never))).message,
    /was used already/u,
  );
  const log = await readLog(alice.context, never);
  assert.deepEqual(
    log.map(({ command, signature }) => `${command} ${signature}`),
    ["store init good", "store invite ci good", "store join (invited as ci) good"],
  );
});

test("one that is over, taken back, or older than a removal makes nobody a member", async () => {
  const { clock, team, alice, members } = await scene();
  await team.person("bob");
  const tokens = [await invite(alice.context, "late", hourMs, never), await invite(alice.context, "ci", hourMs, never)];
  const join = async (index: number): Promise<string> =>
    (await failureOf(acceptInvitation((await team.stranger("r")).context, tokens[index]?.token ?? "", never))).message;
  assert.equal(await withdrawInvitations(alice.context, "ci", never), 1);
  assert.match(await join(1), /was used already, or taken back/u);
  await clock.advance(hourMs);
  assert.match(await join(0), /was good until 2026-/u);
  tokens.push(await invite(alice.context, "third", hourMs, never));
  const left = async (): Promise<string[]> =>
    (await new MemoryLedger(team.database).read("invitation/", 0, never)).entries.flatMap(
      (entry) => storedIn(entry)?.invitation.name ?? [],
    );
  assert.deepEqual(await left(), ["third"], "what is over goes with the next one");
  await removeMember(alice.context, "bob", never);
  assert.deepEqual([await left(), (await lookAtTeam(alice.context, never)).invited], [[], []], "and with a removal");
  assert.match(await join(2), /was used already, or taken back/u);
  assert.deepEqual(await members(), ["alice"]);
});

test("a name has one invitation: another takes its place, and who has become a member by whatever way ends it", async () => {
  const { team, alice, members } = await scene();
  const invited = async (): Promise<string[]> => (await lookAtTeam(alice.context, never)).invited.map(({ name }) => name);
  const first = await invite(alice.context, "ci", hourMs, never);
  await invite(alice.context, "other", hourMs, never);
  const second = await invite(alice.context, "ci", hourMs, never);
  assert.deepEqual([first.replaced, second.replaced], [0, 1]);
  assert.deepEqual((await invited()).toSorted(), ["ci", "other"]);
  const runner = await team.stranger("r");
  assert.match(
    (await failureOf(acceptInvitation(runner.context, first.token, never))).message,
    /was used already, or taken back/u,
  );
  // Two who invite one name at once both succeed: joining by the one ends the other.
  const entry = new MemoryLedger(team.database);
  const [again] = (await entry.read("invitation/", 0, never)).entries.filter((each) => storedIn(each)?.invitation.name === "ci");
  const twin = { key: "invitation/twin/", value: again?.value ?? "" };
  await entry.commit({ token: crypto.randomUUID(), require: [], put: [twin], remove: [] }, never);
  await acceptInvitation(runner.context, second.token, never);
  assert.deepEqual(await invited(), ["other"]);
  await addMember(alice.context, "other", await recipientIn((await team.stranger("o")).context), never);
  assert.deepEqual([await invited(), (await entry.read("invitation/", 0, never)).entries], [[], []]);
  assert.deepEqual(await members(), ["alice", "ci", "other"]);
});

test("who wants another name than their invitation's is refused, and it stays good", async () => {
  const { team, alice, members } = await scene();
  const { token } = await invite(alice.context, "ci", hourMs, never);
  const { context } = await team.stranger("r");
  const refused = await failureOf(acceptInvitation(context, token, never, "carol"));
  assert.deepEqual([refused.code, refused.message], ["usage", "The invitation is for ci, and makes nobody carol"]);
  await acceptInvitation(context, token, never, "ci");
  assert.deepEqual(await members(), ["alice", "ci"]);
});

test("one that was altered, or is of another team, is refused; what is none is told as such", async () => {
  const { team, alice, members } = await scene();
  const { token } = await invite(alice.context, "ci", hourMs, never);
  const ledger = new MemoryLedger(team.database);
  const [entry] = (await ledger.read("invitation/", 0, never)).entries;
  const value = (entry?.value ?? "").replace('\\"ci\\"', '\\"alice2\\"');
  assert.notEqual(value, entry?.value);
  await ledger.commit({ token: crypto.randomUUID(), require: [], put: [{ key: entry?.key ?? "", value }], remove: [] }, never);
  const { context } = await team.stranger("r");
  assert.match((await failureOf(acceptInvitation(context, token, never))).message, /was not made by a member/u);
  assert.match((await failureOf(acceptInvitation(context, token.slice(0, -3), never))).message, /is no invitation/u);
  const none = await failureOf(acceptInvitation(context, "hello", never));
  assert.match(none.message, /is no invitation to a team/u);
  assert.doesNotMatch(none.message, /hello/u);
  assert.equal((await failureOf(invite(alice.context, "alice", hourMs, never))).code, "usage");
  assert.deepEqual(await members(), ["alice"]);
});
