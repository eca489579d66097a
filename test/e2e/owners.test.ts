/** Boxes that are someone's, as their users meet them: packages and owners are named before anything changes, and kept by a flag. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { labUnavailableReason, openLab } from "../lab/lab.ts";
import { changedFiles, takeSnapshot } from "../provision/host-snapshot.ts";
import { assertFails } from "./failing.ts";
import { createArguments } from "./generic-flags.ts";
import { Program } from "./program.ts";

const skip = (await labUnavailableReason()) ?? false;

test("packages in the engine's way are named, and given away by a flag", { skip }, async () => {
  await using lab = await openLab();
  await using host = await lab.start("podman");
  await using program = await Program.open();
  const before = await takeSnapshot(host);
  const create = createArguments(host, "web", "--engine-source", "distro");
  const given = " {2}package {3}podman-docker \\S+ is removed";
  assert.match(await program.ok([...create, "--dry-run"]), new RegExp(`^${given} - not without --engine-allow-removal$`, "mu"));
  assert.match(await program.ok([...create, "--dry-run", "--engine-allow-removal"]), new RegExp(`^${given}$`, "mu"));
  await assertFails(program, create, {
    sentence: /Installing the engine would remove packages that are on web: podman-docker 4\.3\.1/u,
    hint: /create the machine with --engine-allow-removal: rm --restore brings them back/u,
  });
  assert.deepEqual(changedFiles(before, await takeSnapshot(host)), []);
});

test("two stores and one engine: the second is warned, shares it, and both use it", { skip }, async (t) => {
  await using lab = await openLab();
  await using host = await lab.start("bookworm-engine");
  await using alice = await Program.open();
  await using bob = await Program.open();
  await alice.ok(createArguments(host, "web"));
  const runs = /^box +- +generic +Running +tcp:\S+ +v20/mu;
  const runsForAlice = /^web +- +generic +Running +tcp:\S+ +v20/mu;

  await t.test("taken alone, it says who is locked out, and is given back", async () => {
    const { stdout, stderr, status } = await bob.run(createArguments(host, "box"));
    assert.equal(status, 0, stderr);
    assert.match(
      stdout + stderr,
      /was set up by another owner, and its clients are locked out from now on: their CA is O=tester/u,
    );
    assert.match(await bob.ok(["ls"]), runs);
    assert.doesNotMatch(await alice.ok(["ls"]), runsForAlice);
    await bob.ok(["rm", "-y", "--restore", "box"]);
    assert.match(await alice.ok(["ls"]), runsForAlice);
  });

  await t.test("shared, both see it run, and the docker client gets both CAs", async () => {
    const { stdout, stderr, status } = await bob.run(createArguments(host, "box", "--engine-share-ca"));
    assert.equal(status, 0, stderr);
    assert.match(stdout + stderr, /is shared with another owner, whose CA is O=tester/u);
    assert.match(await bob.ok(["ls"]), runs);
    assert.match(await alice.ok(["ls"]), runsForAlice);
    const folder = path.join(bob.store, "machines/box");
    assert.match(await bob.ok(["config", "box"]), new RegExp(`^--tlscacert="${path.join(folder, "ca.pem")}"$`, "mu"));
    assert.equal(readFileSync(path.join(folder, "ca.pem"), "utf8").split("BEGIN CERTIFICATE").length - 1, 2);
  });

  await t.test("it stays so through provision and regenerate-certs of either", async () => {
    for (const [program, name] of [
      [bob, "box"],
      [alice, "web"],
    ] as const) {
      await program.ok(["provision", name]);
      await program.ok(["regenerate-certs", "--force", name]);
    }
    assert.match(await bob.ok(["ls"]), runs);
    assert.match(await alice.ok(["ls"]), runsForAlice);
  });
});
