import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { FlagValue } from "../../driver-kit/create-flag.ts";
import { isMachineError } from "../../errors/machine-error.ts";
import { testDriverContext } from "../../testing/driver-context.ts";
import { optionsOf } from "../../testing/flag-values.ts";
import { thisComputer } from "../../system/computer.ts";
import { driverModule } from "./index.ts";

const given = { "vmwarevsphere-vcenter": "vc.test", "vmwarevsphere-username": "alice" };

async function configured(flags: Readonly<Record<string, FlagValue>>, env: Readonly<Record<string, string>> = {}) {
  await using test = await testDriverContext("web", { computer: { ...thisComputer(), env, cwd: "/here" } });
  const driver = driverModule.open(test.context, undefined);
  await driver.setConfigFromFlags(optionsOf(driverModule, { ...given, ...flags }));
  return JSON.parse(await driver.configText()) as Readonly<Record<string, unknown>>;
}

describe("options of vmwarevsphere", () => {
  test("the way a machine is made is told by what is given", async () => {
    const ways = [
      [{}, "image"],
      [{ "vmwarevsphere-clone-from": "t" }, "template"],
      [{ "vmwarevsphere-clone-from": "t", "vmwarevsphere-creation-type": "vm" }, "vm"],
      [{ "vmwarevsphere-clone-from": "t", "vmwarevsphere-content-library": "l" }, "library"],
      [{ "vmwarevsphere-boot2docker-url": "b.iso" }, "legacy"],
    ] as const;
    for (const [flags, type] of ways) assert.equal((await configured(flags))["CreationType"], type);
  });

  test("networks are 0.16.2's unless given; folders lose their slashes, paths become absolute", async () => {
    const config = await configured({ "vmwarevsphere-folder": "/a/b/", "vmwarevsphere-tls-ca-cert": "ca.pem" });
    assert.deepEqual(
      [config["Networks"], config["Network"], config["Folder"], config["TlsCaCert"]],
      [["VM Network"], "VM Network", "a/b", "/here/ca.pem"],
    );
    assert.deepEqual((await configured({ "vmwarevsphere-network": ["b", "a"] }))["Network"], "b");
  });

  test("in 0.16.2's manner the first certificate is pinned, unless one is given", async () => {
    const compat = { MACHINE_COMPAT: "0.16" };
    assert.deepEqual(
      [
        (await configured({}))["PinsOnFirstUse"],
        (await configured({}, compat))["PinsOnFirstUse"],
        (await configured({ "vmwarevsphere-tls-thumbprint": "AA:".repeat(31) + "AA" }, compat))["PinsOnFirstUse"],
      ],
      [false, true, false],
    );
  });

  const refused: readonly (readonly [Readonly<Record<string, FlagValue>>, RegExp])[] = [
    [{ "vmwarevsphere-vcenter": "" }, /requires the --vmwarevsphere-vcenter option/u],
    [{ "vmwarevsphere-username": "" }, /requires the --vmwarevsphere-username option/u],
    [{ "vmwarevsphere-creation-type": "legacy" }, /needs --vmwarevsphere-boot2docker-url: boot2docker is published no more/u],
    [
      { "vmwarevsphere-creation-type": "template" },
      /^creation type clone needs a VM name to clone from, use --vmwarevsphere-clone-from$/u,
    ],
    [{ "vmwarevsphere-content-library": "l" }, /needs --vmwarevsphere-content-library and --vmwarevsphere-clone-from/u],
    [{ "vmwarevsphere-creation-type": "x" }, /is not one of: image, template, vm, library, legacy/u],
    [{ "vmwarevsphere-customization": "c" }, /only clones are customised/u],
    [{ "vmwarevsphere-datastore": "d", "vmwarevsphere-datastore-cluster": "c" }, /exclude each other/u],
    [{ "vmwarevsphere-image": "a.img", "vmwarevsphere-boot2docker-url": "b.iso" }, /exclude each other/u],
    [{ "vmwarevsphere-cfgparam": ["novalue"] }, /"novalue" is not KEY=VALUE/u],
    [{ "vmwarevsphere-custom-attribute": ["a=b"] }, /number as KEY/u],
    [{ "vmwarevsphere-tag": ["web"] }, /a tag's id/u],
    [{ "vmwarevsphere-tls-thumbprint": "AA:BB" }, /is not a SHA-256 or SHA-1 fingerprint/u],
    [{ "vmwarevsphere-os": "windows" }, /is not one of: linux/u],
    [{ "vmwarevsphere-memory-size": 1 }, /too small/u],
  ];
  for (const [flags, sentence] of refused)
    test(`refuses ${JSON.stringify(flags)}`, async () => {
      await assert.rejects(configured(flags), (error) => isMachineError(error, "driver-options") && sentence.test(error.message));
    });
});
