/** A host that two owners set up, one after the other: who is locked out is said, sharing keeps both, each undoes their own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPlan } from "../../src/provision/plan/format-plan.ts";
import { planHost, provisionHost, restoreHost } from "../../src/provision/provision.ts";
import { labUnavailableReason, openLab } from "../lab/lab.ts";
import { failureOf } from "../support/failure.ts";
import { changedFiles, takeSnapshot, withoutFiles } from "./host-snapshot.ts";
import { openLabMachine } from "./lab-machine.ts";
import { createTestPki } from "./test-pki.ts";

const skip = (await labUnavailableReason()) ?? false;

test("two owners of one engine", { skip }, async (t) => {
  await using lab = await openLab();
  await using host = await lab.start("busy");
  await using alice = await openLabMachine(host, { pki: await createTestPki() });
  await using bob = await openLabMachine(host, { pki: await createTestPki() });
  const before = await takeSnapshot(host);
  await provisionHost(alice.request({ engine: { labels: ["owner=alice"] } }), alice.context);
  const ofAlice = await takeSnapshot(host);

  await t.test("the second is told whom the plan locks out, and which way keeps both", async () => {
    const plan = formatPlan(await planHost(bob.request(), bob.context));
    assert.match(
      plan,
      /note {6}the engine on web was set up by another owner.*locked out.*O=test.*--engine-share-ca keeps both/u,
    );
    assert.deepEqual(changedFiles(ofAlice, await takeSnapshot(host)), []);
  });

  await t.test("taken over, it is given back as the first had it", async () => {
    await provisionHost(bob.request(), bob.context);
    assert.equal(await bob.ask("/_ping"), "OK");
    assert.notEqual(await alice.ask("/_ping"), "OK");
    assert.match(bob.said("warn").join("\n"), /was set up by another owner/u);
    await restoreHost(bob.request(), bob.context);
    assert.equal(await alice.ask("/_ping"), "OK");
    const after = await takeSnapshot(host);
    assert.deepEqual([changedFiles(ofAlice, after), withoutFiles(after)], [[], withoutFiles(ofAlice)]);
    assert.match(bob.said("info").join("\n"), /web is as the owner before set it up/u);
    assert.match((await failureOf(restoreHost(bob.request(), bob.context))).message, /is another owner's, and theirs to undo/u);
  });

  await t.test("shared, it answers both, and goes on to when the first provisions again", async () => {
    const { plan } = await provisionHost(bob.request({ engine: { shareCa: true } }), bob.context);
    assert.equal(plan.sharing.trusted.length, 1);
    assert.equal(await bob.ask("/_ping", plan.sharing.trusted), "OK");
    assert.equal(await alice.ask("/_ping"), "OK");
    await provisionHost(alice.request({ engine: { labels: ["owner=alice"] } }), alice.context);
    assert.deepEqual([await bob.ask("/_ping", plan.sharing.trusted), await alice.ask("/_ping")], ["OK", "OK"]);
  });

  await t.test("the first goes while the second is there, and the second leaves the host as it was at first", async () => {
    await restoreHost(bob.request(), bob.context);
    const { plan } = await provisionHost(bob.request(), bob.context);
    await restoreHost(alice.request(), alice.context);
    assert.match(alice.said("warn").join("\n"), /Another owner has set up the engine on web since: nothing was undone/u);
    assert.equal(await bob.ask("/_ping", plan.sharing.trusted), "OK");
    await restoreHost(bob.request(), bob.context);
    const after = await takeSnapshot(host);
    assert.deepEqual([changedFiles(before, after), withoutFiles(after)], [[], withoutFiles(before)]);
  });
});
