/**
 * P1: a process that is killed at any instant loses no record. Every command is killed before each single change that it
 * makes, to the store or at the provider, and then at random moments. SAFETY_ROUNDS chooses how many of those.
 */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { isMachineError } from "../../src/errors/machine-error.ts";
import { buildProgram, Rig, roundsOf, type Kill } from "./rig.ts";

const program = buildProgram();

interface Case {
  readonly command: string;
  readonly name: string;
  readonly argument?: string;
  /** What may be in the store after the kill. */
  readonly outcomes: readonly (readonly string[])[];
}

/** `web` and `db` stand in the store, except for the very first create; `db` as 0.16.2 makes it, its token in config.json. */
const cases: readonly Case[] = [
  {
    command: "create",
    name: "new",
    outcomes: [
      ["db", "web"],
      ["db", "new", "web"],
    ],
  },
  { command: "start", name: "web", outcomes: [["db", "web"]] },
  { command: "provision", name: "web", outcomes: [["db", "web"]] },
  { command: "rotate", name: "web", argument: "second-token", outcomes: [["db", "web"]] },
  { command: "rotate", name: "db", argument: "second-token", outcomes: [["db", "web"]] },
  { command: "ip", name: "web", outcomes: [["db", "web"]] },
  { command: "ls", name: "web", outcomes: [["db", "web"]] },
  { command: "rm", name: "web", outcomes: [["db", "web"], ["db"]] },
];

function labelOf({ command, name }: Case): string {
  return `${command} ${name}`;
}

async function rigWithMachines(): Promise<Rig> {
  const rig = await Rig.open(program);
  await rig.create("web");
  await rig.create("db", { MACHINE_COMPAT: "0.16" });
  rig.keep();
  return rig;
}

async function killOnce(rig: Rig, { command, name, argument = "", outcomes }: Case, kill: Kill): Promise<boolean> {
  const { killed, status, stderr } = await rig.run(command, [name, argument], kill);
  assert.ok(killed || status === 0, stderr);
  const names = await rig.assertAllLoad();
  assert.ok(
    outcomes.some((outcome) => outcome.join() === names.join()),
    `${command} left ${names.join()}`,
  );
  await assertSecretsTogether(rig, names);
  return killed;
}

/** What a record has a mark of, the machine's vault has. */
async function assertSecretsTogether(rig: Rig, names: readonly string[]): Promise<void> {
  const tokens = await Promise.all(names.map(async (name) => await rig.tokenOf(name)));
  for (const token of tokens) assert.match(token, /^(?:first|second)-token$/u);
}

/** A command on the machine itself, or one that makes or removes another. */
async function nextCommand(rig: Rig, { name }: Case): Promise<void> {
  const machines = await rig.context.store.list();
  const choices = [
    async () => void (await rig.findLeftovers()),
    async () => await rig.create("other"),
    async () => (machines.includes(name) ? await rig.remove(name) : await rig.create(name)),
  ];
  await choices[randomInt(choices.length)]?.();
}

for (const each of cases) {
  test(`${labelOf(each)}, killed before each change`, async () => {
    await using rig = await rigWithMachines();
    const instants = await rig.instantsOf(each.command, [each.name, each.argument ?? ""]);
    for (let at = 1; at <= instants; at += 1) {
      assert.equal(await killOnce(rig, each, { at }), true, `instant ${at} of ${instants} was not reached`);
      await nextCommand(rig, each);
      assert.deepEqual(rig.strays(), [], `after instant ${at}`);
      rig.reset();
    }
    if (["ip", "ls"].includes(each.command)) assert.equal(instants, 0, "readers change nothing");
    else assert.ok(instants > 5, `only ${instants} instants`);
  });
}

/** Of the last changes, only the lock was left to be given back. */
function onlyIfItWasDone(error: unknown): void {
  if (!isMachineError(error, "machine-exists")) throw error;
}

test("the first create of a store, killed before each change", async () => {
  await using rig = await Rig.open(program);
  const first: Case = { command: "create", name: "new", outcomes: [[], ["new"]] };
  const instants = await rig.instantsOf("create", ["new"]);
  for (let at = 1; at <= instants; at += 1) {
    assert.equal(await killOnce(rig, first, { at }), true, `instant ${at} of ${instants} was not reached`);
    await rig.create("new").catch(onlyIfItWasDone);
    assert.deepEqual(await rig.assertAllLoad(), ["new"]);
    assert.equal((await rig.findLeftovers()).length, 0);
    assert.deepEqual(rig.strays(), [], `after instant ${at}`);
    rig.reset();
  }
});

test("any command, killed at random", async (context) => {
  const wanted = Math.ceil(roundsOf(64, 3_000) / cases.length);
  await using rig = await rigWithMachines();
  const durations = await durationsOf(rig);
  const kills = new Map(cases.map((each) => [labelOf(each), 0]));
  let runs = 0;
  for (; runs < wanted * cases.length * 5; runs += 1) {
    const each = cases.find((one) => kills.get(labelOf(one)) === Math.min(...kills.values())) as Case;
    const label = labelOf(each);
    if (kills.get(label) === wanted) break;
    const killed = await killOnce(rig, each, { afterMs: Math.random() * (durations.get(label) ?? 0) });
    if (killed) kills.set(label, (kills.get(label) ?? 0) + 1);
    await nextCommand(rig, each);
    assert.deepEqual(rig.strays(), []);
    rig.reset();
  }
  context.diagnostic(`kills in ${runs} runs: ${[...kills].map(([label, times]) => `${label} ${times}`).join(", ")}`);
  for (const [label, times] of kills) assert.equal(times, wanted, `${label} was too fast to be killed at work`);
});

/** How long each command takes here and now, from when it is ready. */
async function durationsOf(rig: Rig): Promise<Map<string, number>> {
  const durations = new Map<string, number>();
  for (const each of cases) {
    durations.set(labelOf(each), (await rig.run(each.command, [each.name, each.argument ?? ""])).tookMs);
    rig.reset();
  }
  return durations;
}
