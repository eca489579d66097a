/**
 * `upgrade --to` over three real hosts: batches and gates, what stops it and what it says then, that it goes on where it
 * stopped, that containers live through it, and the way back.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { labUnavailableReason, openLab, type LabHost } from "../lab/lab.ts";
import { genericFlags } from "./generic-flags.ts";
import { Program } from "./program.ts";

const unavailable = await labUnavailableReason();
const names = ["web-1", "web-2", "web-3"];

describe("a roll-out", { skip: unavailable ?? false }, () => {
  test("goes from machine to machine, stops at what fails, goes on, and goes back", async (t) => {
    await using lab = await openLab();
    await using repository = await lab.serveDockerRepository();
    const [older = "", newer = ""] = repository.versions.bookworm.map((version) => /(\d+\.\d+\.\d+)/u.exec(version)?.[1] ?? "");
    await using one = await lab.start("bookworm");
    await using two = await lab.start("bookworm");
    await using three = await lab.start("bookworm");
    await using program = await Program.open();
    const hosts = [one, two, three];
    const source = ["--engine-source", "docker", "--engine-package-mirror", repository.url];
    const key = ["--engine-package-key", repository.keyFingerprint, "--engine-version", older];
    await program.ok(["create", "--driver", "generic", ...genericFlags(...hosts), ...source, ...key, ...names]);
    const before = await Promise.all(hosts.map(startKept));
    const engines = async (): Promise<string[]> => await Promise.all(hosts.map(engineOf));
    const upgrade = ["upgrade", "--gate", "test ! -e /tmp/ill", "--within", "20s"];

    await t.test("it stops where a gate fails, and says which are old, new and broken", async () => {
      await two.sh("touch /tmp/ill");
      const stopped = await program.run([...upgrade, "--to", newer, ...names]);
      assert.equal(stopped.status, 1, stopped.stdout + stopped.stderr);
      assert.match(stopped.stderr, /1 of 3 machines failed \(broken: web-2; old: web-3; new: web-1\)/u);
      assert.match(stopped.stderr, /web-2: .*the command ended with status 1/u);
      assert.deepEqual(await engines(), [newer, newer, older]);
    });

    await t.test("once that is mended, the same command goes on; a canary goes first", async () => {
      await two.sh("rm /tmp/ill");
      const said = await program.ok([...upgrade, "--to", newer, "--first", "1", "--pause", "1s", "--all", "-y"]);
      assert.match(said, new RegExp(`Docker of "web-3" was ${older}\\S* and is ${newer} now`, "u"));
      assert.deepEqual(await engines(), [newer, newer, newer]);
      assert.deepEqual(await Promise.all(hosts.map(keptOn)), before, "containers were stopped");
    });

    await t.test("a container that does not come back stops it", async () => {
      const refused = await program.run([...upgrade, "--to", older, ...names]);
      assert.equal(refused.status, 1);
      assert.match(refused.stderr, /Newer than .* are: web-1 .*Nothing was begun[^]*--downgrade/u);
      assert.deepEqual(await engines(), [newer, newer, newer]);
      await two.sh(
        "docker run -d --restart=always --name ill --health-cmd 'exit 1' --health-interval 1s --health-retries 1 tiny sleep 1000",
      );
      const back = await program.run([...upgrade, "--to", older, "--downgrade", ...names]);
      assert.equal(back.status, 1, back.stdout + back.stderr);
      assert.match(back.stderr, /broken: web-2; old: web-3; new: web-1/u);
      assert.match(back.stderr, /the container ill is unhealthy/u);
      assert.deepEqual(await engines(), [older, older, newer]);
    });
  });
});

/** A container that its engine keeps running: its process, and since when. */
async function startKept(host: LabHost): Promise<string> {
  await host.sh(`
    tar -hc -C / bin/sh bin/sleep lib/x86_64-linux-gnu/libc.so.6 lib64/ld-linux-x86-64.so.2 | docker import - tiny > /dev/null
    docker run -d --restart=always --name kept tiny /bin/sleep 1000 > /dev/null`);
  return await keptOn(host);
}

async function keptOn(host: LabHost): Promise<string> {
  return await host.sh("docker inspect -f '{{.State.Pid}} {{.State.StartedAt}}' kept");
}

async function engineOf(host: LabHost): Promise<string> {
  return /^[\d.]+/u.exec(await host.sh("docker version -f '{{.Server.Version}}'"))?.[0] ?? "";
}
