/**
 * Who has a machine's lock is stopped, cut off or told a wrong time: the colleague goes on, nobody goes on beside them, and
 * the first one overwrites nothing. At real etcd and real PostgreSQL.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import * as path from "node:path";
import { describe, test } from "node:test";
import { buildProgram, isFullRun, type Ran } from "../safety/rig.ts";
import { engines, Office } from "./office.ts";

const program = buildProgram();
const faketime = path.join(
  path.resolve(process.env["DOCKER_MACHINE_ETCD"] ?? "build"),
  `faketime/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/faketime/libfaketime.so.1`,
);

/** The colleague made the machine while the first one's create was away, which then ended. */
async function expectOne(office: Office, first: Ran, made: object): Promise<void> {
  assert.notEqual(first.status, 0, "who lost the lock does not succeed");
  assert.match(first.stderr, /lock was lost|cannot be reached/u);
  assert.equal((await office.rig.ours()).length, 1);
  assert.deepEqual(await office.stateOf(office.bob, "web"), made, "nothing of what the colleague made was overwritten");
  assert.deepEqual(await office.stateOf(office.alice, "web"), made);
}

// Most of it is waiting.
describe("a lock that is lost", { concurrency: 3 }, () => {
  for (const { name, start, skip } of engines) {
    test(
      `${name}: a create that is stopped for longer than its lock lives changes nothing when it goes on`,
      { skip },
      async () => {
        await using office = await Office.open(program, start);
        const { rig, engine, alice, bob } = office;
        let made = {};
        const theirs = Promise.withResolvers<void>();
        const whenPending = (child: { kill: (signal: NodeJS.Signals) => boolean }): void => {
          child.kill("SIGSTOP");
          void (async () => {
            // At PostgreSQL the time really passes.
            if (name === "etcd") await engine.endLeases();
            await office.good(bob, "create", "web");
            made = await office.stateOf(bob, "web");
          })()
            .then(theirs.resolve, theirs.reject)
            .finally(() => child.kill("SIGCONT"));
        };
        const first = await rig.run("create", ["web"], { whenPending }, alice.storePath);
        await theirs.promise;
        await expectOne(office, first, made);
      },
    );

    // It takes the time that a lock lives, and says little of the engine.
    const isOften = name === "etcd" || isFullRun;
    if (isOften)
      test(`${name}: a create that is cut off from the team's store ends, and the colleague's goes on`, { skip }, async () => {
        await using office = await Office.open(program, start);
        const { rig, engine, alice, bob } = office;
        const whenPending = (): void => void (engine.relay.isDown = true);
        const cutOff = rig.run("create", ["web"], { whenPending }, alice.storePath);
        const [first] = await Promise.all([
          cutOff,
          (async () => {
            while (!engine.relay.isDown) await new Promise((resolve) => setTimeout(resolve, 20));
            await office.good(bob, "create", "web");
          })(),
        ]);
        const made = await office.stateOf(bob, "web");
        // What is here is shown meanwhile.
        assert.equal((await office.listed(alice)).length, 1);
        engine.relay.heal();
        await office.forgetAbsence(alice);
        await expectOne(office, first, made);
      });

    test(
      `${name}: computers whose clocks are an hour off break nobody's lock`,
      { skip: skip || (existsSync(faketime) ? false : "faketime is not unpacked; sh scripts/team-packages.sh does that") },
      async () => {
        await using office = await Office.open(program, start);
        const { rig, alice, bob } = office;
        await office.good(alice, "create", "web");
        const at = (hours: string): Record<string, string> => ({
          LD_PRELOAD: faketime,
          FAKETIME: hours,
          DONT_FAKE_MONOTONIC: "1",
        });
        for (const [hers, his] of [
          ["+1h", "-1h"],
          ["-1h", "+1h"],
        ] as const) {
          const stop = new AbortController();
          const holding = rig.run("hold", ["web"], { signal: stop.signal, env: at(hers) }, alice.storePath);
          await office.untilLocked("web");
          const second = await rig.run("provision-briefly", ["web", "0"], { env: at(his) }, bob.storePath);
          assert.match(`${second.stdout}${second.stderr}`, /is in use by docker-machine hold/u);
          stop.abort();
          await holding;
          await office.engine.endLeases();
        }
        await office.good(bob, "rm", "web");
      },
    );
  }
});
