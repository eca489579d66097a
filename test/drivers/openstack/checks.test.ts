/** What is found out before anything is made: wrong options, and what the cloud and the project lack. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import * as path from "node:path";
import { describe, test } from "node:test";
import type { ErrorCode } from "../../../src/errors/codes.ts";
import { generateKeyPair } from "../../../src/ssh/keys.ts";
import { ids, moreNetworks } from "./catalogue.ts";
import type { FakeOpenStack } from "./fake-openstack.ts";
import { assertRefused, configOf, type Flags } from "../driver-scene.ts";
import { openScene } from "./scene.ts";

describe("what is checked before anything is made", () => {
  const cases: readonly (readonly [flags: Flags, ErrorCode, RegExp, hint?: RegExp])[] = [
    [{ "flavor-name": "huge" }, "provider-not-found", /^Unable to find flavor named huge$/u, /a1\.small, .*m1\.tiny/u],
    [{ "flavor-name": "", "flavor-id": "99" }, "provider-not-found", /^Unable to find flavor with the id 99$/u],
    [
      { "flavor-name": "" },
      "driver-options",
      /^Flavor name or Flavor id must be specified using the CLI option --openstack-flavor-name or --openstack-flavor-id$/u,
      /Choose one of a1\.small/u,
    ],
    [{ "image-name": "beos" }, "provider-not-found", /^Unable to find image named beos$/u, /Debian 13 \(trixie\), Rocky/u],
    [{ "image-name": "ubuntu-20.04" }, "provider-not-found", /^Unable to find image named ubuntu-20\.04$/u],
    [{ "image-name": "", "image-id": ids.image(99) }, "provider-not-found", /^Unable to find image with the id/u],
    [{ "image-name": "" }, "driver-options", /^Image name or Image id must be specified using the CLI option/u],
    [{ "image-name": "", "image-id": ids.image(10) }, "provider-not-found", /image asleep is deactivated/u],
    [{ "flavor-name": "a1.small" }, "provider-unsupported", /debian-12-x86_64 is for x86_64, .* a1\.small for aarch64/u],
    [{ "flavor-name": "a2.small" }, "provider-unsupported", /debian-12-x86_64 is for x86_64, .* a2\.small for aarch64/u],
    [
      { "image-name": "", "image-id": ids.image(4), "flavor-name": "a1.small", region: "Mars" },
      "provider-not-found",
      /"Mars"/u,
      /RegionOne/u,
    ],
    [{ "flavor-name": "m1.tiny", "image-name": "rockylinux" }, "provider-invalid", /Rocky Linux 9 needs 1024 MiB of RAM/u],
    [{ "image-name": "huge" }, "provider-invalid", /huge needs a disk of 200 GiB, and m1\.small has 20/u, /boot-from-volume/u],
    [
      { "image-name": "huge", "boot-from-volume": true, "volume-size": 20 },
      "driver-options",
      /needs 200 GiB, and .*volume-size is 20/u,
    ],
    [{ "net-name": "nowhere" }, "provider-not-found", /^Unable to find network named nowhere$/u, /Choose one of private with/u],
    [{ "net-id": ids.network(99) }, "provider-not-found", /^Unable to find network with the id/u],
    [{ "floatingip-pool": "private" }, "provider-not-found", /^Unable to find network named private$/u, /one of public with/u],
    [{ "net-name": "public", "ip-version": 6 }, "provider-unsupported", /no addresses of IPv6/u],
    [{ "sec-groups": "default,web" }, "provider-not-found", /^Unable to find security group named web$/u],
    [
      { "availability-zone": "attic" },
      "provider-not-found",
      /^Unable to find availability zone named attic$/u,
      /one of nova with/u,
    ],
    [{ "availability-zone": "cellar" }, "provider-capacity", /cellar takes no instances now/u],
    [{ "server-group-name": "together" }, "provider-not-found", /server group named together$/u, /one of apart with/u],
    [{ "volume-size": 1, "volume-type": "gold" }, "provider-not-found", /volume type named gold$/u, /ssd, slow/u],
    [{ "volume-id": ids.image(1) }, "provider-not-found", /Unable to find volume/u],
    [{ "endpoint-type": "adminURL", "tenant-name": "others" }, "provider-credentials", /does not accept the credentials/u],
    [{ "keypair-name": "mine", "private-key-file": "/no/key" }, "driver-options", /^SSH key does not exist: "\/no\/key"$/u],
  ];
  for (const [flags, code, sentence, hint] of cases) {
    test(Object.entries(flags).flat().join(" "), async () => {
      await using scene = await openScene();
      const error = await assertRefused((await scene.configured(flags)).preCreateCheck(scene.signal), code, sentence);
      if (hint !== undefined) assert.match(String(error.hint), hint);
      assert.deepEqual(scene.cloud.resources, []);
    });
  }

  const clouds: readonly (readonly [string, (cloud: FakeOpenStack) => void, Flags, ErrorCode, RegExp])[] = [
    [
      "no room for an instance",
      ({ nova }) => void (nova.instanceLimit = 0),
      {},
      "provider-quota",
      /may have 0 instances, has 0/u,
    ],
    [
      "no room for its cores",
      ({ nova }) => void (nova.coreLimit = 3),
      { "flavor-name": "m1.large" },
      "provider-quota",
      /3 cores, has 0, and m1\.large needs 4/u,
    ],
    ["no room for its memory", ({ nova }) => void (nova.ramLimit = 1_000), {}, "provider-quota", /1000 MiB of RAM/u],
    [
      "no floating IP left",
      ({ neutron }) => void (neutron.floatingIpLimit = 0),
      { "floatingip-pool": "public" },
      "provider-quota",
      /0 floating IPs/u,
    ],
    [
      "a role that may only look",
      ({ keystone }) => void (keystone.roles = ["reader"]),
      {},
      "provider-permission",
      /web-team: their role is reader/u,
    ],
    [
      "several regions, none chosen",
      ({ keystone }) => void (keystone.regions = ["a", "b"]),
      {},
      "driver-options",
      /several regions/u,
    ],
    [
      "no endpoint of that kind",
      ({ keystone }) => void (keystone.interfaces = ["internal"]),
      {},
      "provider-not-found",
      /no public endpoint/u,
    ],
    [
      "no compute in the catalog",
      ({ keystone }) => void (keystone.missingService = "compute"),
      {},
      "provider-not-found",
      /no compute service/u,
    ],
    [
      "no volumes in the catalog",
      ({ keystone }) => void (keystone.missingService = "volumev3"),
      { "volume-size": 1 },
      "provider-not-found",
      /no volume service/u,
    ],
    [
      "several networks, none chosen",
      ({ neutron }) => void neutron.networks.push(moreNetworks.second),
      {},
      "driver-options",
      /several networks/u,
    ],
    [
      "two networks of a name",
      ({ neutron }) => void neutron.networks.push(moreNetworks.again),
      { "net-name": "private" },
      "driver-options",
      /2 networks named private/u,
    ],
    [
      "a network without addresses",
      ({ neutron }) => void neutron.networks.push(moreNetworks.bare),
      { "net-name": "bare" },
      "provider-invalid",
      /bare has no subnet/u,
    ],
    ["no network", ({ neutron }) => void neutron.networks.splice(0), {}, "driver-options", /has no network/u],
    [
      "two groups of a name",
      ({ neutron }) => void [1, 2].map(() => neutron.addGroup("twin")),
      { "sec-groups": "twin" },
      "driver-options",
      /2 security groups named twin/u,
    ],
  ];
  for (const [what, prepare, flags, code, sentence] of clouds) {
    test(what, async () => {
      await using scene = await openScene();
      prepare(scene.cloud);
      await assertRefused((await scene.configured(flags)).preCreateCheck(scene.signal), code, sentence);
      assert.equal(scene.cloud.nova.keyPairs.size, 0);
    });
  }

  test("a volume of the user's that another server has", async () => {
    await using scene = await openScene();
    const { id } = scene.cloud.cinder.add("theirs", 1, { status: "in-use" });
    await assertRefused(
      (await scene.configured({ "volume-id": id })).preCreateCheck(scene.signal),
      "provider-invalid",
      /volume is in-use/u,
    );
  });

  test("clouds that do not tell their limits are believed", async () => {
    await using scene = await openScene();
    scene.cloud.nova.tellsLimits = false;
    scene.cloud.neutron.tellsQuota = false;
    scene.cloud.neutron.hasTags = false;
    await scene.running({ "floatingip-pool": "public" });
    assert.equal(scene.cloud.nova.servers.size, 1);
  });

  test("user data that is too large", async () => {
    await using scene = await openScene();
    const file = path.join(scene.context.storePath, "data");
    const noise = Array.from({ length: 60_000 }, (_each, at) => ((at * 7_919 * 104_729) % 65_521).toString(36)).join("");
    await writeFile(file, `#cloud-config\n# ${noise}\n`);
    const large = await scene.configured({ "user-data-file": file });
    await assertRefused(large.preCreateCheck(scene.signal), "driver-options", /bytes when packed, and the provider takes 49149/u);
    assert.deepEqual(scene.cloud.requests, []);
  });

  test("a key pair that is not there, or whose private half is another", async () => {
    await using scene = await openScene();
    const { cloud, context, signal } = scene;
    const [theirs, mine] = [generateKeyPair("theirs"), generateKeyPair("mine")];
    const file = path.join(context.storePath, "id");
    await writeFile(file, mine.privateKey, { mode: 0o600 });
    const flags = { "keypair-name": "team", "private-key-file": file };
    await assertRefused(
      (await scene.configured(flags)).preCreateCheck(signal),
      "provider-not-found",
      /^Unable to find key pair named team$/u,
    );
    cloud.nova.addKeyPair("team", theirs.publicKey);
    await assertRefused(
      (await scene.configured(flags)).preCreateCheck(signal),
      "driver-options",
      /is not the private half of the key pair team/u,
    );
  });
});

test("an image is taken by its name, or by a system's word for the flavor's architecture, and kept by its id", async () => {
  for (const [word, image, flavor = "m1.small"] of [
    ["Ubuntu 22.04 LTS", 1],
    // The newest of a name.
    ["Ubuntu 24.04 LTS", 3],
    ["ubuntu", 3],
    ["ubuntu-24.04", 3],
    ["ubuntu-22.04", 1],
    ["debian", 7],
    ["debian-12", 6],
    ["rockylinux-9", 8],
    ["ubuntu", 4, "a1.small"],
    ["debian", 11, "a2.small"],
  ] as const) {
    await using scene = await openScene();
    const driver = await scene.checked({ "image-name": word, "flavor-name": flavor });
    assert.deepEqual(
      [(await configOf(driver))["ImageId"], (await configOf(driver))["ImageName"]],
      [ids.image(image), word],
      word,
    );
  }
});

test("flags that are wrong or do not go together are refused by name", async () => {
  await using scene = await openScene();
  for (const [flags, sentence] of [
    [{ "flavor-id": "1" }, /^Either Flavor name or Flavor id must be specified, not both$/u],
    [{ "image-id": "1" }, /^Either Image name or Image id must be specified, not both$/u],
    [{ "net-id": "1", "net-name": "a" }, /^Either Network name or Network id must be specified, not both$/u],
    [{ "endpoint-type": "secretURL" }, /^Endpoint type must be 'publicURL', 'adminURL' or 'internalURL'$/u],
    [{ "keypair-name": "mine" }, /^Both KeyPairName and PrivateKeyFile must be specified$/u],
    [{ "private-key-file": "/k" }, /^Both KeyPairName and PrivateKeyFile must be specified$/u],
    [{ "nova-network": true }, /--openstack-nova-network cannot be used/u],
    [{ "ip-version": 5 }, /is neither 4 nor 6/u],
    [{ "ssh-port": 0 }, /--openstack-ssh-port 0 is too small/u],
    [{ "active-timeout": 0 }, /--openstack-active-timeout 0 is too small/u],
    [{ "auth-url": "cloud.example" }, /--openstack-auth-url "cloud\.example" is not a URL/u],
    [{ metadata: "a,b,c" }, /metadata must be in form of/u],
    [{ metadata: "a/b,c" }, /takes no metadata "a\/b"/u],
    [{ "open-cidr": ["everywhere"] }, /--openstack-open-cidr "everywhere" is no range/u],
    [{ "open-port": ["x"] }, /invalid port number x/u],
    [{ "volume-id": "v", "volume-size": 1 }, /excludes --openstack-volume-size/u],
    [{ "user-data-file": "/no/file" }, /^open \/no\/file: no such file or directory$/u],
  ] as const)
    await assert.rejects(scene.configured(flags), { code: "driver-options", message: sentence });
});
