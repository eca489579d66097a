import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FleetScene } from "../../../test/support/fleet-scene.ts";
import { failureOf } from "../../../test/support/failure.ts";
import { boxIn } from "../../machine/host/box.ts";

describe("a plan that can never come about", () => {
  it("is refused where the flag stands, for what is made and for what is to be made anew", async () => {
    const scene = new FleetScene();
    const words = '"b" cannot be what this says: --fake-size "none" is not a size';
    const made = await failureOf(scene.plan("  a: {fake-size: small}\n  b:\n    labels: {a: b}\n    fake-size: none"));
    assert.deepEqual([made.code, made.message], ["fleet-invalid", `m.yml:8:5: ${words}`]);
    await scene.applied("  a: {fake-size: small}");
    const anew = await failureOf(scene.plan("  a: {fake-size: none}"));
    assert.equal(anew.message, `m.yml:5:7: ${words.replace('"b"', '"a"')}`);
  });

  it("knows no time for what nothing could end, nor one that has passed; one that was applied counts no more", async () => {
    const scene = new FleetScene({ adopted: true });
    const own = await failureOf(scene.plan("  a: {fake-size: small, ttl: 4h}"));
    assert.match(own.message, /^m\.yml:5:25: "a" cannot be what this says: "a" is not provisioned/u);
    const past = await failureOf(new FleetScene().plan('  a: {fake-size: small, ttl: "2020-01-01T00:00:00Z"}'));
    assert.match(past.message, /^m\.yml:5:25: .*The deadline 2020-01-01 .* has passed already/u);
    const later = new FleetScene();
    await later.applied("  a: {fake-size: small}");
    const record = await later.context.store.load("a");
    const { Fleet: mark } = record.extra;
    assert.ok(mark !== undefined);
    record.extra.Fleet = { ...mark, Flags: { ...mark.Flags, ttl: "2020-01-01T00:00:00Z" } };
    await later.context.store.save(record);
    const [machine] = (await later.plan('  a: {fake-size: small, ttl: "2020-01-01T00:00:00Z", labels: {x: y}}')).machines;
    assert.equal(machine?.action, "change");
  });

  it("fetches no secret", async () => {
    const scene = new FleetScene();
    const text = '  a: {fake-size: small, engine: {env: ["API_TOKEN=env:NOWHERE"]}}';
    assert.deepEqual(await scene.actions(text), ["a create"]);
  });
});

describe("a box", () => {
  it("is where its SSH is reached, and another one behind another entry of ssh_config", () => {
    assert.equal(boxIn({ IPAddress: "Web.Example", SSHPort: 0 }), "web.example:22");
    assert.equal(boxIn({ IPAddress: "2001:db8::1", SSHPort: 2222, SSHConfigHost: "" }), "[2001:db8::1]:2222");
    assert.notEqual(boxIn({ IPAddress: "10.0.0.7", SSHConfigHost: "a" }), boxIn({ IPAddress: "10.0.0.7", SSHConfigHost: "b" }));
    assert.equal(boxIn({ SSHPort: 22 }), undefined);
  });
});
