import assert from "node:assert/strict";
import { test } from "node:test";
import { Ajv } from "ajv";
import { parse } from "yaml";
import { MachineError } from "../../errors/machine-error.ts";
import { fakeFlagSource } from "../testing/fake-flags.ts";
import { parseFleet } from "./parse-fleet.ts";
import { fleetSchema } from "./schema.ts";

const whole = `
version: 1
fleet: shop
x-notes: [any, {thing: 1}]
defaults:
  driver: cloud
  cloud-token: env:TOKEN
  engine: {version: "28.3", source: docker, opts: [log-driver=local], env: [A=b], firewall: open, share-ca: true}
  labels: {env: prod}
machines:
  web-[1-3]: {cloud-type: big, cloud-memory: 4GB, labels: {role: web}, protect: true}
  web-3: {cloud-memory: 8192, cloud-tag: [a, b], labels: null}
  db: {driver: box, box-address: 10.0.0.7, transport: ssh, ttl: 8h}
  spare:
rollout: {max-unavailable: 20%, max-fail: 1, first: 1, pause: 10m, healthy: {containers: as-before, command: "true", within: 2m}}
swarm:
  prod: {managers: ["web-[1-3]"], workers: "label=role=worker", data-path-port: 4789}
`;

test("the schema allows what is read, and refuses what is not", async () => {
  const schema = await fleetSchema(fakeFlagSource(), () => assert.fail());
  const check = new Ajv({ strict: true, allowUnionTypes: true, strictTypes: false, strictRequired: false }).compile(schema);
  await parseFleet(whole, "m.yml", fakeFlagSource());
  assert.ok(check(parse(whole)), JSON.stringify(check.errors));
  for (const [from, to] of [
    ["cloud-type: big", "cloud-tpye: big"],
    ["cloud-token: env:TOKEN", "cloud-token: hunter2"],
    ['version: "28.3"', "version: 28.3"],
    ["source: docker", "source: dokcer"],
    ["box-address: 10.0.0.7", "cloud-type: big"],
    ["protect: true", "protect: 1"],
    ["ttl: 8h", "ttl: 8"],
    ["ttl: 8h", "ttl: true"],
    ["max-unavailable: 20%", "max-unavailable: 0"],
    ["cloud-memory: 8192", "cloud-memory: 1.5"],
    ["fleet: shop", "flet: shop"],
    ["data-path-port: 4789", "data-path-port: 80"],
  ] as const) {
    const text = whole.replace(from, to);
    assert.notEqual(text, whole, from);
    assert.equal(check(parse(text)), false, to);
    await assert.rejects(parseFleet(text, "m.yml", fakeFlagSource()), { code: "fleet-invalid" }, to);
  }
});

test("a driver whose flags cannot be had is named", async () => {
  const source = fakeFlagSource();
  const broken = {
    ...source,
    flagsOf: async (name: string) => {
      if (name === "box") throw new MachineError("plugin-failed", "it does not start");
      return await source.flagsOf(name);
    },
  };
  const missing: string[] = [];
  const schema = await fleetSchema(broken, (driver, why) => missing.push(`${driver}: ${why}`));
  assert.deepEqual(missing, ["box: it does not start"]);
  assert.equal(JSON.stringify(schema).includes("box-address"), false);
});
