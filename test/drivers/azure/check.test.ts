/** What is refused before anything is made: one sentence, a way out, and Azure as it was. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import * as path from "node:path";
import { describe, test } from "node:test";
import type { FlagValue } from "../../../src/driver-kit/create-flag.ts";
import type { ErrorCode } from "../../../src/errors/codes.ts";
import { refused } from "./refused.ts";
import { groupPath, inScene, type Scene } from "./scene.ts";

describe("before anything is made", () => {
  type Case = readonly [
    flags: Readonly<Record<string, FlagValue>>,
    code: ErrorCode,
    pattern: RegExp,
    prepare?: (scene: Scene) => unknown,
  ];
  const set = groupPath("Microsoft.Compute/availabilitySets/docker-machine");
  const cases: Readonly<Record<string, Case>> = {
    "unknown location": [{ "azure-location": "atlantis" }, "provider-not-found", /no location "atlantis"/u],
    "unknown size": [{ "azure-size": "Standard_Huge" }, "provider-not-found", /no size "Standard_Huge" in westus/u],
    "size the subscription cannot have": [{ "azure-size": "Standard_NC6" }, "provider-capacity", /NotAvailableForSubscription/u],
    "zone without the size": [
      { "azure-size": "Standard_D2s_v5", "azure-availability-zone": "3" },
      "provider-capacity",
      /zone 3 of westus/u,
    ],
    quota: [{ "azure-size": "Standard_D64s_v5" }, "provider-quota", /needs 64 processors.*16 of 20 are left/u],
    "quota of spot": [
      { "azure-spot": true },
      "provider-quota",
      /Spot vCPUs.* 1 of 3/u,
      ({ azure }) => void (azure.usage = { lowPriorityCores: 2 }),
    ],
    "unknown image": [{ "azure-image": "none:such:image:latest" }, "provider-not-found", /no image "none:such:image:latest"/u],
    "malformed image": [{ "azure-image": "nonsense" }, "driver-options", /image name "nonsense" not a valid format/u],
    "image of another architecture": [
      { "azure-image": "Canonical:ubuntu-24_04-lts:server-arm64:latest" },
      "driver-options",
      /is for Arm64, and the size Standard_B2s_v2 is x64/u,
    ],
    "image of another generation": [
      { "azure-size": "Standard_A1", "azure-image": "Debian:debian-13:13-gen2:latest" },
      "driver-options",
      /generation V2/u,
    ],
    "image larger than the disk": [{ "azure-image": "big:huge:disk:latest" }, "driver-options", /disk of 127 GiB/u],
    "trusted launch with an old image": [
      { "azure-trusted-launch": true, "azure-image": "Canonical:ubuntu-24_04-lts:server-gen1:latest" },
      "driver-options",
      /generation 2/u,
    ],
    "a size that has no spot": [
      { "azure-size": "Standard_B2as_v2", "azure-spot": true },
      "provider-unsupported",
      /--azure-spot/u,
    ],
    "a set of old disks": [
      {},
      "provider-unsupported",
      /cannot convert non-managed availability set docker-machine/u,
      ({ azure }) => {
        azure.groups.set("docker-machine", {});
        azure.add(set, { location: "westus", sku: { name: "Classic" } });
      },
    ],
    "network elsewhere": [
      {},
      "driver-options",
      /docker-machine-vnet is in westeurope/u,
      ({ azure }) => {
        azure.groups.set("docker-machine", {});
        azure.add(groupPath("Microsoft.Network/virtualNetworks/docker-machine-vnet"), { location: "westeurope" });
      },
    ],
    "a network in a group that is not there": [{ "azure-vnet": "nets:corp" }, "provider-not-found", /no resource group "nets"/u],
    "unknown security group": [{ "azure-nsg": "none" }, "provider-not-found", /no security group "none"/u],
    "label that is taken": [
      { "azure-dns": "taken" },
      "provider-exists",
      /label taken is taken/u,
      ({ azure }) => void (azure.takenLabels = ["taken"]),
    ],
    "a machine of that name": [
      {},
      "provider-exists",
      /Virtual Machine with name web already exists in resource group "docker-machine"/u,
      ({ azure }) => {
        azure.groups.set("docker-machine", {});
        azure.add(groupPath("Microsoft.Compute/virtualMachines/web"), { location: "westus" });
      },
    ],
    "an interface of that name": [
      {},
      "provider-exists",
      /network interface .*web-nic/u,
      ({ azure }) => {
        azure.groups.set("docker-machine", {});
        azure.add(groupPath("Microsoft.Network/networkInterfaces/web-nic"), { location: "westus" });
      },
    ],
    "disabled subscription": [{}, "provider-account", /is Disabled/u, ({ azure }) => void (azure.subscriptionState = "Disabled")],
    "unknown subscription": [
      { "azure-subscription-id": "99999999-2222-4333-8444-555555555555" },
      "provider-account",
      /no such subscription/u,
    ],
    "no permission": [
      {},
      "provider-permission",
      /may not do this/u,
      ({ provider }) => provider.next(/^GET .*\/skus$/u, { kind: "refused", status: 403, code: "AuthorizationFailed" }),
    ],
  };
  for (const [what, [flags, code, pattern, prepare]] of Object.entries(cases))
    test(what, async () => {
      await inScene(async (scene) => {
        await prepare?.(scene);
        const before = scene.azure.list();
        await assert.rejects(scene.checked(flags), refused(code, pattern));
        assert.deepEqual(scene.azure.list(), before);
      });
    });

  test("custom data: missing, and too large", async () => {
    await inScene(async ({ checked, context }) => {
      await assert.rejects(
        checked({ "azure-custom-data": "/no/such" }),
        refused("driver-options", /custom-data file \/no\/such could not be found/u),
      );
      const file = path.join(context.machineDir, "large");
      const { randomBytes } = await import("node:crypto");
      await writeFile(file, `#!/bin/sh\n# ${randomBytes(60_000).toString("hex")}\n`);
      await assert.rejects(checked({ "azure-custom-data": file }), refused("driver-options", /the provider takes 65535/u));
    });
  });

  test("a subscription that never had machines is registered", async () => {
    await inScene(async ({ azure, checked, lines }) => {
      azure.registered.clear();
      await checked();
      assert.deepEqual([...azure.registered], ["Microsoft.Compute", "Microsoft.Network"]);
      assert.ok(lines().some((line) => line.includes("Registering")));
    });
  });

  test("flags that do not go together, and those of a wrong form", async () => {
    const wrong: readonly (readonly [Readonly<Record<string, FlagValue>>, RegExp])[] = [
      [{ "azure-subscription-id": "" }, /azure driver requires the "azure-subscription-id" option\./u],
      [{ "azure-location": "" }, /azure driver requires the "azure-location" option\./u],
      [{ "azure-environment": "AzureGermanCloud" }, /Invalid Azure environment: "AzureGermanCloud", supported values: /u],
      [{ "azure-ssh-user": "root" }, /user is named "root"/u],
      [{ "azure-open-port": ["80/icmp"] }, /cannot parse security rule protocol: invalid protocol icmp/u],
      [{ "azure-open-cidr": ["nowhere"] }, /no range of addresses/u],
      [{ "azure-client-secret": "s3cret" }, /needs --azure-client-id/u],
      [{ "azure-availability-zone": "1", "azure-availability-set": "mine" }, /exclude each other/u],
      [{ "azure-tags": "a,b,c" }, /not pairs/u],
      [{ "azure-plan": "half" }, /publisher:product:plan/u],
      [{ "azure-no-public-ip": true, "azure-dns": "label" }, /names a public address/u],
      [{ "azure-stop": "sleep" }, /deallocate, power-off/u],
    ];
    await inScene(async ({ configured }) => {
      for (const [flags, pattern] of wrong)
        await assert.rejects(
          configured(flags),
          (error: Error) => pattern.test(error.message) && !error.message.includes("s3cret"),
          String(pattern),
        );
    });
  });
});
