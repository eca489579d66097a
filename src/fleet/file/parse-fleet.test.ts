import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isMachineError, type MachineError } from "../../errors/machine-error.ts";
import { fakeFlagSource } from "../testing/fake-flags.ts";
import type { FleetFile, MachineSpec } from "./fleet-file.ts";
import { parseFleet } from "./parse-fleet.ts";

const head = "version: 1\nfleet: shop\n";

async function parse(text: string, env?: Record<string, string>): Promise<FleetFile> {
  return await parseFleet(head + text, "m.yml", fakeFlagSource(env));
}

async function machine(text: string, name: string): Promise<MachineSpec> {
  const found = (await parse(text)).machines.find((each) => each.name === name);
  return found ?? assert.fail(`${name} is not in ${text}`);
}

async function failure(text: string): Promise<MachineError> {
  return await parseFleet(text, "m.yml", fakeFlagSource()).then(
    () => assert.fail(`accepted: ${text}`),
    (error: unknown) => (isMachineError(error, "fleet-invalid") ? error : assert.fail(String(error))),
  );
}

describe("a fleet's file", () => {
  it("has machines by name and by range, in its order", async () => {
    const names = async (key: string) => (await parse(`machines:\n  ${key}: {driver: box}\n`)).machines.map(({ name }) => name);
    assert.deepEqual(await names("db"), ["db"]);
    assert.deepEqual(await names("web-[1-3]"), ["web-1", "web-2", "web-3"]);
    assert.deepEqual(await names("web-[08-10,12]"), ["web-08", "web-09", "web-10", "web-12"]);
    assert.deepEqual(await names("web-{1..2}"), ["web-1", "web-2"]);
    assert.deepEqual(await names("build-{a,b}"), ["build-a", "build-b"]);
    assert.deepEqual(await names("r[1-2]-n[1-2]"), ["r1-n1", "r1-n2", "r2-n1", "r2-n2"]);
    assert.deepEqual(await names("web-[5]"), ["web-5"]);
    assert.deepEqual(await names("web-[1-1]"), ["web-1"]);
    assert.deepEqual(await names("web-[0-1]"), ["web-0", "web-1"]);
    assert.equal((await names("web-[1-2000]")).length, 2000);
  });

  it("lays defaults, range and name over each other: maps by key, lists as a whole, null takes away", async () => {
    const text = `
defaults:
  driver: cloud
  cloud-tag: [a, b]
  cloud-type: big
  engine: {version: "28.3", opts: [log-driver=local], env: [A=1]}
  labels: {env: prod, team: ops}
machines:
  web-[1-2]: {labels: {role: web}, engine: {opts: [debug=true]}, cloud-tag: [c]}
  web-2: {cloud-type: null, labels: {team: null}, engine: {env: null}}
  bare: {engine: null, labels: null}
`;
    const web1 = await machine(text, "web-1");
    assert.deepEqual(web1.flags, {
      "cloud-tag": ["c"],
      "cloud-type": "big",
      "engine-version": "28.3",
      "engine-opt": ["debug=true"],
      "engine-env": ["A=1"],
    });
    assert.deepEqual(web1.labels, { env: "prod", role: "web", team: "ops" });
    const web2 = await machine(text, "web-2");
    assert.deepEqual(
      [web2.flags["cloud-type"], web2.flags["engine-env"], web2.labels],
      [undefined, undefined, { env: "prod", role: "web" }],
    );
    const bare = await machine(text, "bare");
    assert.deepEqual([bare.flags, bare.labels], [{ "cloud-tag": ["a", "b"], "cloud-type": "big" }, {}]);
  });

  it("takes create flags in their own words, with their units", async () => {
    const { flags } = await machine(
      "machines:\n  a: {driver: cloud, cloud-memory: 4GB, cloud-ipv6: true, engine-version: '27.5', transport: ssh, tls-san: x}\n",
      "a",
    );
    assert.deepEqual(flags, {
      "cloud-memory": 4096,
      "cloud-ipv6": true,
      "engine-version": "27.5",
      "engine-transport": "ssh",
      "tls-san": ["x"],
    });
  });

  it("passes over what defaults say for other drivers, and remarks on what is for none", async () => {
    const text = "defaults: {cloud-type: big, box-address: 10.0.0.1}\nmachines:\n  a: {driver: cloud}\n";
    const { machines, warnings } = await parse(text);
    assert.deepEqual(machines[0]?.flags, { "cloud-type": "big" });
    assert.deepEqual(warnings, ["m.yml:3:29: box-address is of the driver box, which no machine of this file has"]);
  });

  it("says whether machines are protected and how long they are wanted", async () => {
    const text =
      "defaults: {driver: box, protect: true}\nmachines:\n  a: {ttl: 8h}\n  b: {protect: false, ttl: off}\n  c: {protect: null}\n";
    const { machines } = await parse(text);
    assert.deepEqual(
      machines.map(({ protect, flags }) => [protect, flags["ttl"]]),
      [
        [true, "8h"],
        [false, undefined],
        [undefined, undefined],
      ],
    );
  });

  it("takes secrets by reference, and values from the environment", async () => {
    const text =
      'machines:\n  a: {driver: cloud, cloud-token: "cmd:pass show x", cloud-type: "${TYPE}-$${X}", engine: {env: [TOKEN=env:T]}}\n';
    const { machines } = await parse(text, { TYPE: "big" });
    assert.equal((await parse("machines:\n  a:\n    driver: ${WHOSE}\n", { WHOSE: "box" })).machines[0]?.driverName, "box");
    assert.deepEqual(machines[0]?.flags, {
      "cloud-token": "cmd:pass show x",
      "cloud-type": "big-${X}",
      "engine-env": ["TOKEN=env:T"],
    });
  });

  it("has a roll-out, with defaults", async () => {
    const { rollout } = await parse(
      'rollout: {max-unavailable: "20%", max-fail: 2, first: 1, pause: 10m, healthy: {containers: ignored, command: "true", within: 30s}}\n',
    );
    assert.deepEqual(rollout, {
      maxUnavailable: { percent: 20 },
      maxFail: 2,
      first: 1,
      pauseMs: 600_000,
      healthy: { containers: "ignored", command: "true", withinMs: 30_000 },
    });
    assert.deepEqual((await parse("rollout: {max-unavailable: 3}\n")).rollout.maxUnavailable, { machines: 3 });
    assert.equal((await parse("")).rollout.healthy.containers, "as-before");
  });

  it("has clusters, whose members it has", async () => {
    const text = `
machines:
  m-[1-3]: {driver: box}
  w-[1-2]: {driver: box, labels: {role: worker}}
swarm:
  prod: {managers: ["m-[1-3]"], workers: "label=role=worker", data-path-port: 4789}
`;
    assert.deepEqual(
      (await parse(text)).swarms.map(({ name, managers, workers, dataPathPort }) => ({ name, managers, workers, dataPathPort })),
      [{ name: "prod", managers: ["m-1", "m-2", "m-3"], workers: ["w-1", "w-2"], dataPathPort: 4789 }],
    );
    assert.match((await parse(text.replace('1-3]"]', '1-2]"]'))).warnings[0] ?? "", /prod has 2 managers/u);
  });

  it("is refused with line, column and what may have been meant", async () => {
    const machines = `${head}machines:\n`;
    const box = `${machines}  b-[1-3]: {driver: box}\n`;
    for (const [text, message, hint] of [
      ["", /^m\.yml:1:1: nothing is written in the file$/u, /version: 1/u],
      ["# later\n", /^m\.yml:1:1: nothing is written in the file$/u, /version: 1/u],
      ["fleet: shop\n", /^m\.yml:1:1: the file does not say its version$/u, /version: 1/u],
      ["version: 2", /^m\.yml:1:10: this program reads version 1/u, /newer/u],
      ["version: 1", /^m\.yml:1:1: the fleet has no name$/u, /fleet: shop/u],
      ["version: 1\nfleet: -x", /"-x" is no name of a fleet$/u, /begins with/u],
      [`${head}machnes: {}`, /^m\.yml:3:1: the file has no key "machnes"$/u, /"machines"/u],
      [
        `${machines}  a: {driver: cloud, cloud-tpye: big}`,
        /^m\.yml:4:22: a has no key "cloud-tpye", and the driver cloud no such flag$/u,
        /cloud-type/u,
      ],
      [`${head}defaults: {lables: {a: b}}`, /^m\.yml:3:12: no driver here has a create flag --lables$/u, /labels/u],
      [
        `${machines}  a: {driver: cloud, box-address: x}`,
        /^m\.yml:4:22: box-address is of the driver box, and a is of cloud$/u,
        /^$/u,
      ],
      [`${machines}  a: {}`, /^m\.yml:4:3: a has no driver$/u, /defaults/u],
      [`${machines}  a: {driver: clod}`, /^m\.yml:4:15: Driver "clod" not found$/u, /^$/u],
      [
        `${machines}  a: {driver: cloud, cloud-type: 28.10}`,
        /^m\.yml:4:22: cloud-type: --cloud-type is a text$/u,
        /the number 28\.1\. Write it in quotes: "28\.10"/u,
      ],
      [
        `${machines}  a: {driver: cloud, engine: {version: 012}}`,
        /engine\.version: --engine-version is a text$/u,
        /the number 12\. Write it in quotes: "012"/u,
      ],
      [`${machines}  a: {driver: cloud, cloud-type: true}`, /--cloud-type is a text$/u, /"true"/u],
      [`${machines}  a: {driver: cloud, cloud-memory: much}`, /--cloud-memory is a whole number$/u, /^$/u],
      [`${machines}  a: {driver: cloud, cloud-ipv6: yes}`, /--cloud-ipv6 is true or false$/u, /^$/u],
      [`${machines}  a: {driver: cloud, cloud-tag: [1]}`, /--cloud-tag is a list of texts$/u, /"1"/u],
      [
        `${machines}  a: {driver: cloud, cloud-token: hunter2}`,
        /--cloud-token is a secret, and this file is no place for one$/u,
        /env:NAME/u,
      ],
      [`${machines}  a: {driver: box, box-api-key: hunter2}`, /--box-api-key is a secret/u, /env:NAME/u],
      [
        `${machines}  a: {driver: box, engine: {env: [A_TOKEN=hunter2]}}`,
        /engine\.env gives A_TOKEN a secret/u,
        /A_TOKEN=env:NAME/u,
      ],
      [`${machines}  a: {driver: box, engine: {source: dokcer}}`, /engine\.source is auto, docker, .*"dokcer"$/u, /docker/u],
      [`${machines}  a: {driver: box, engine: {verison: "1"}}`, /engine has no key "verison"$/u, /"version"/u],
      [
        `${machines}  a: {driver: box, engine: {version: "1"}, engine-version: "2"}`,
        /engine-version says again what engine\.version says$/u,
        /^$/u,
      ],
      [`${machines}  a: {driver: box, dry-run: true}`, /--dry-run is no matter of this file$/u, /^$/u],
      [`${machines}  a: {driver: box, box-address: "\${NOPE}"}`, /the environment has no NOPE$/u, /\$\$\{NOPE\}/u],
      [`${machines}  a: {driver: box, labels: {k: 1.10}}`, /labels\.k is a text$/u, /"1\.10"/u],
      [`${machines}  a: {driver: box, labels: {k=v: x}}`, /"k=v" is no key of a label/u, /^$/u],
      [`${machines}  a: {driver: box, labels: {password: x}}`, /A label must not be called "password"/u, /config set/u],
      [`${machines}  a: {driver: box, protect: 1}`, /protect is true or false$/u, /^$/u],
      [`${machines}  a: {driver: box, ttl: 8}`, /ttl: --ttl is a text$/u, /"8"/u],
      [`${machines}  a: {driver: box, ttl: "8"}`, /ttl is how long the machine is wanted/u, /^$/u],
      [`${machines}  a: {driver: box, idle: soon}`, /idle is a time such as 30m/u, /^$/u],
      [`${machines}  a: {driver: box}\n  a: {driver: box}`, /^m\.yml:5:3: this is no YAML: Map keys must be unique$/u, /^$/u],
      [`${box}  b-[3-5]: {driver: box}`, /^m\.yml:5:3: b-\[3-5\] overlaps: "b-3" is made by b-\[1-3\] already$/u, /^$/u],
      [`${box}  b-2: {}\n  b-[2-2]: {}`, /overlaps: "b-2" is made by b-\[1-3\] and by its own entry already$/u, /^$/u],
      [
        `${machines}  b-2: {driver: box}\n  b-[1-3]: {driver: box}`,
        /^m\.yml:5:3: b-\[1-3\] has "b-2", which stands before it$/u,
        /below/u,
      ],
      [`${box}  B-1: {driver: box}`, /"B-1" and "b-1" differ in case alone$/u, /^$/u],
      [`${machines}  a_b: {driver: box}`, /"a_b" names no machines: invalid hostname/u, /must not hold "_"/u],
      [`${machines}  w-[1-]: {driver: box}`, /"w-\[1-\]" names no machines: \[1-\] is no range$/u, /range/u],
      [`${machines}  w-[1-100000]: {driver: box}`, /^m\.yml:4:3: .*: 1-100000 is more than 5000 machines$/u, /5000 at most/u],
      [`${machines}  w-[1-999]-[1-999]: {driver: box}`, /^m\.yml:4:3: .* is more than 5000 machines$/u, /5000 at most/u],
      [
        `${machines}  w-[3-1]: {driver: box}`,
        /^m\.yml:4:3: "w-\[3-1\]" names no machines: 3-1 goes backwards$/u,
        /^Write it as 1-3\.$/u,
      ],
      [`${machines}  w-[1,9-4]: {driver: box}`, /^m\.yml:4:3: .*9-4 goes backwards$/u, /^Write it as 4-9\.$/u],
      [`${machines}  w-{3..1}: {driver: box}`, /^m\.yml:4:3: .*3\.\.1 goes backwards$/u, /^Write it as 1\.\.3\.$/u],
      [`${machines}  w-[01-3]: {driver: box}`, /^m\.yml:4:3: .*the numbers of 01-3 are padded/u, /^Write it as 01-03\.$/u],
      [`${machines}  w-[8-010]: {driver: box}`, /^m\.yml:4:3: .*the numbers of 8-010 are padded/u, /^Write it as 008-010\.$/u],
      [`${machines}  w-[a-c]: {driver: box}`, /^m\.yml:4:3: .*: \[a-c\] is no range$/u, /\{a,b,c\}/u],
      [`${machines}  w-{a..c}: {driver: box}`, /^m\.yml:4:3: .*: \{a\.\.c\} is no range$/u, /\{a,b,c\}/u],
      [`${machines}  w-{1..3,5}: {driver: box}`, /^m\.yml:4:3: .*: \{1\.\.3,5\} is no range$/u, /A range is/u],
      [`${machines}  w-[1,1]: {driver: box}`, /^m\.yml:4:3: .*"w-1" is given twice$/u, /A range is/u],
      [`${head}rollout: {max-unavailable: 0}`, /max-unavailable is a number of machines from 1 on/u, /^$/u],
      [`${head}rollout: {max-unavailable: "120%"}`, /max-unavailable is/u, /^$/u],
      [`${head}rollout: {max-fail: -1}`, /max-fail is a whole number of 0 or more$/u, /^$/u],
      [`${head}rollout: {healthy: {within: 2}}`, /within is a time/u, /^$/u],
      [`${head}rollout: {healthy: {contianers: as-before}}`, /healthy has no key "contianers"$/u, /"containers"/u],
      [`${box}swarm: {p: {managers: [b-9]}}`, /^m\.yml:5:24: this file has no machine "b-9"$/u, /"b-1"|"b-2"|"b-3"/u],
      [`${box}swarm: {p: {workers: [b-1]}}`, /the cluster p has no managers$/u, /^$/u],
      [`${box}swarm: {p: {managers: [b-1], workers: [b-1]}}`, /"b-1" is a member twice of the cluster p$/u, /^$/u],
      [`${box}swarm: {p: {managers: [b-1]}, q: {managers: [b-1]}}`, /"b-1" is a member of the clusters p and q$/u, /^$/u],
      [`${box}swarm: {p: {managers: [b-1], data-path-port: 80}}`, /data-path-port is a whole number from 1024 to 49151$/u, /^$/u],
      [
        `${machines}  a: {driver: box, engine: {opts: [live-restore]}}\nswarm: {p: {managers: [a]}}`,
        /"a" keeps live-restore/u,
        /^$/u,
      ],
      [`${machines}  a: {driver: box, box-address: \${X}}`, /^m\.yml:4:34: this is no YAML/u, /in quotes: "\$\{X\}"$/u],
      [`${machines}  a: {driver: cloud, cloud-tag: [x-\${X}, b]}`, /^m\.yml:4:37: this is no YAML/u, /in quotes: "\$\{X\}"$/u],
      [`${head}machines: {web-[1-3]: {driver: box}}`, /^m\.yml:3:16: this is no YAML/u, /in quotes/u],
      [`${machines}  {a,b}-1: {driver: box}`, /^m\.yml:4:8: this is no YAML/u, /in quotes/u],
      [`${machines}  a: {driver: box, labels: {role: @x}}`, /^m\.yml:4:35: this is no YAML/u, /begins with @ in quotes/u],
      [`${machines}  a:\n\tdriver: box`, /^m\.yml:5:1: this is no YAML/u, /blanks/u],
      ["a: [", /^m\.yml:1:\d+: this is no YAML/u, /^$/u],
      [`${head}machines: [a]`, /^m\.yml:3:11: machines is no mapping/u, /^$/u],
    ] as const) {
      const error = await failure(text);
      assert.match(error.message, message, text);
      assert.match(error.hint ?? "", hint, text);
      assert.equal(`${error.message}${error.hint}`.includes("hunter2"), false, text);
    }
  });

  it("may have keys of its own for what anchors name, and is read whatever stands there", async () => {
    const text = "x-big: &big {driver: cloud, cloud-type: big}\nmachines:\n  a: {<<: *big, x-note: why}\n";
    assert.deepEqual((await parse(text)).machines[0]?.flags, { "cloud-type": "big" });
  });

  it("is read, or refused with a place, whatever it holds", async () => {
    const word = fc.constantFrom(
      "driver",
      "cloud",
      "box",
      "engine",
      "version",
      "labels",
      "web-[1-3]",
      "web-2",
      "null",
      "1.10",
      "'2'",
      "true",
      "x-a",
      "${A}",
      "swarm",
      "managers",
      "machines",
      "protect",
      "ttl",
      "8h",
      "*a",
      "&a",
      "<<",
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 4, depthSize: "small" }, word, tie("map"), tie("list")),
      map: fc
        .array(fc.tuple(word, tie("value")), { maxLength: 4 })
        .map((pairs) => `{${pairs.map(([key, each]) => `${key}: ${String(each)}`).join(", ")}}`),
      list: fc.array(tie("value"), { maxLength: 3 }).map((items) => `[${items.map(String).join(", ")}]`),
    }));
    const key = fc.constantFrom("defaults", "machines", "rollout", "swarm", "x-y");
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(key, value), { maxLength: 4 }), async (pairs) => {
        const text = head + pairs.map(([name, each]) => `${name}: ${String(each)}\n`).join("");
        const error: unknown = await parseFleet(text, "m.yml", fakeFlagSource()).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        assert.ok(
          error === undefined || (isMachineError(error, "fleet-invalid") && /^m\.yml:\d+:\d+: /u.test(error.message)),
          `${text}\n${String(error)}`,
        );
      }),
      { numRuns: 500 },
    );
  });
});
