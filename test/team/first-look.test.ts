/**
 * The first look at the many machines of a team, by the program, at real databases: what it takes of memory, and that nothing
 * is half where it is killed in the middle. With DOCKER_MACHINE_LONG_TESTS=1 at ten thousand.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../src/system/testing/folder.ts";
import { TeamStore } from "../../src/team/team-store.ts";
import { programUnderTest } from "../golden/replay.ts";
import { isFullRun } from "../safety/rig.ts";
import { putMachines } from "./many-machines.ts";
import { engines } from "./office.ts";
import { teamOf, type Colleague } from "./team-rig.ts";

/** More than a page. */
const count = isFullRun ? 10_000 : 540;
const mostMegabytes = 250;
const isExecutable = programUnderTest().length === 1;

interface Look {
  readonly killed: boolean;
  readonly names: readonly string[];
  readonly seconds: number;
  readonly peakMegabytes: number;
}

/** `ls -q` on somebody's store. @param killAt how many machines are there when it is killed */
async function look({ storePath }: Colleague, killAt = Infinity): Promise<Look> {
  const [program = "", ...prefix] = programUnderTest();
  const env = {
    PATH: process.env["PATH"],
    HOME: path.dirname(storePath),
    MACHINE_STORAGE_PATH: storePath,
    NODE_NO_WARNINGS: "1",
  };
  const started = performance.now();
  const child = spawn(program, [...prefix, "ls", "-q"], { env, stdio: ["ignore", "pipe", "inherit"] });
  let peakMegabytes = 0;
  const watch = setInterval(() => {
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    peakMegabytes = Math.max(peakMegabytes, Number(/^VmHWM:\s+(\d+)/mu.exec(status)?.[1] ?? 0) / 1_024);
    if (machinesIn(storePath).length >= killAt) child.kill("SIGKILL");
  }, 20);
  child.once("exit", () => clearInterval(watch));
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  const [status, signal] = (await once(child, "close")) as [number | null, string | null];
  assert.ok(status === 0 || signal === "SIGKILL", `it ended with ${status}`);
  const names = text.split("\n").filter((name) => name !== "");
  return { killed: signal === "SIGKILL", names, seconds: (performance.now() - started) / 1_000, peakMegabytes };
}

/** As every program sees them. */
function machinesIn(storePath: string): string[] {
  const folder = path.join(storePath, "machines");
  return existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith(".")) : [];
}

function assertWhole({ storePath }: Colleague): void {
  const files = ["config.json", "id_ed25519", "id_ed25519.pub", "known_hosts", "server-key.pem", "server.pem"];
  for (const name of machinesIn(storePath)) {
    const folder = path.join(storePath, "machines", name);
    for (const file of files) assert.ok(existsSync(path.join(folder, file)), `${file} of ${name}`);
    const record = JSON.parse(readFileSync(path.join(folder, "config.json"), "utf8")) as { readonly Name: string };
    assert.equal(record.Name, name);
    assert.match(readFileSync(path.join(folder, "server.pem"), "utf8"), /-----END CERTIFICATE-----\n$/u);
  }
}

// What comes of a kill says little of the engine.
for (const { name, start, skip } of engines.slice(0, isFullRun ? engines.length : 1))
  test(
    `${name}: the first look at many machines stays small, and one that is killed is finished by the next`,
    { skip },
    async (context) => {
      await using engine = await start();
      const [maker, alice, bob] = await teamOf(temporaryFolder(), (who) => engine.loginOf(who), ["maker", "alice", "bob"]);
      assert.ok(maker !== undefined && alice !== undefined && bob !== undefined);
      await putMachines(maker, count);

      engine.relay.delayMs = 50;
      const whole = await look(alice);
      engine.relay.delayMs = 0;
      assert.equal(whole.names.length, count);
      assertWhole(alice);
      context.diagnostic(
        `${count} machines in ${whole.seconds.toFixed(1)} s with round trips of 0.1 s, ${whole.peakMegabytes.toFixed(0)} MB at most`,
      );
      // Node, which runs the sources, takes as much for itself.
      if (isExecutable) assert.ok(whole.peakMegabytes <= mostMegabytes, `${whole.peakMegabytes} MB`);

      let kills = 0;
      for (const share of [0.1, 0.95]) {
        if ((await look(bob, count * share)).killed) kills += 1;
        assertWhole(bob);
      }
      assert.ok(kills > 0, "it was never caught in the middle");
      assert.deepEqual((await look(bob)).names.toSorted(), whole.names.toSorted());
      assertWhole(bob);
      context.diagnostic(`killed ${kills} times`);
      // All of it is known to be the team's: nothing is in the way of a change.
      const store = TeamStore.open({ ...bob.context, reachOf: async () => "everybody" });
      for (const machine of [whole.names[0] ?? "", whole.names.at(-1) ?? ""]) {
        await using _lock = await store.lockMachine(machine, { purpose: "test", waitMs: 0 });
      }
    },
  );
