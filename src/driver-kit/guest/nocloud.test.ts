import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { guestInfoSeed } from "./guestinfo.ts";
import { cloudInitSeed, networkConfig, seedImage, writeSeed, type SeedWish } from "./nocloud.ts";

const identity = {
  hostName: "web-1",
  userName: "docker",
  authorizedKeys: ["ssh-ed25519 AAAAuser it's me"],
  hostKeys: [{ type: "ed25519", privateKey: "PRIVATE\nHALF\n", publicKey: "ssh-ed25519 AAAAhost web-1" }],
} as const;
const wish: SeedWish = {
  identity,
  instanceId: "i-1",
  keepsImageUser: false,
  mounts: [["share0", "/srv", "virtiofs", "nofail"]],
  networks: [
    { macAddress: "080027AABBCC", role: "primary" },
    { macAddress: "08-00-27-15-0D-AF", role: "hostonly" },
    { macAddress: "00:50:56:01:02:03", role: "extra" },
  ],
};

const text = (content: string | Uint8Array | undefined): string => Buffer.from(content ?? "").toString("utf8");
const parsed = (content: string | Uint8Array | undefined): Record<string, unknown> =>
  JSON.parse(text(content).replace(/^#cloud-config\n/u, "")) as Record<string, unknown>;

test("a seed holds the identity, and the machine's user alone", () => {
  const { files, hostKeysInjected } = cloudInitSeed(wish);
  assert.equal(hostKeysInjected, true);
  assert.deepEqual(parsed(files["meta-data"]), { "instance-id": "i-1", "local-hostname": "web-1" });
  const config = parsed(files["user-data"]);
  assert.deepEqual(config["ssh_keys"], { ed25519_private: "PRIVATE\nHALF\n", ed25519_public: "ssh-ed25519 AAAAhost web-1" });
  assert.deepEqual(config["users"], [
    {
      name: "docker",
      primary_group: "docker",
      shell: "/bin/bash",
      sudo: "ALL=(ALL) NOPASSWD:ALL",
      lock_passwd: true,
      ssh_authorized_keys: identity.authorizedKeys,
    },
  ]);
  assert.deepEqual(config["mounts"], wish.mounts);
  assert.equal(config["disable_root"], true);
});

test("root may log in where root is the machine's user", () => {
  const config = parsed(cloudInitSeed({ ...wish, identity: { ...identity, userName: "root" } }).files["user-data"]);
  assert.deepEqual(
    [config["users"], config["disable_root"]],
    [[{ name: "root", ssh_authorized_keys: identity.authorizedKeys }], false],
  );
});

test("several cards are told by their addresses, whatever the guest calls them; a single one is cloud-init's own work", () => {
  assert.deepEqual(parsed(cloudInitSeed(wish).files["network-config"]), {
    version: 2,
    ethernets: {
      primary: { match: { macaddress: "08:00:27:aa:bb:cc" }, dhcp4: true },
      hostonly1: {
        match: { macaddress: "08:00:27:15:0d:af" },
        dhcp4: true,
        optional: true,
        "dhcp4-overrides": { "use-routes": false, "use-dns": false },
      },
      extra2: {
        match: { macaddress: "00:50:56:01:02:03" },
        dhcp4: true,
        optional: true,
        "dhcp4-overrides": { "route-metric": 200 },
      },
    },
  });
  assert.equal(networkConfig([{ macAddress: "080027AABBCC", role: "primary" }]), undefined);
  assert.throws(
    () =>
      networkConfig([
        { macAddress: "", role: "primary" },
        { macAddress: "", role: "extra" },
      ]),
    RangeError,
  );
});

test("the CD image is for its owner alone", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "docker-machine-seed-"));
  const file = path.join(folder, "seed.iso");
  assert.deepEqual(await writeSeed(file, wish), { hostKeysInjected: true, userInjected: true });
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(readFileSync(file), seedImage(cloudInitSeed(wish).files));
  assert.equal(readFileSync(file).toString("latin1", 16 * 2048 + 40, 16 * 2048 + 46), "cidata");
  rmSync(folder, { recursive: true });
});

test("VMware's guests get the same, packed, and wipe it once they have read it", () => {
  const { values } = guestInfoSeed(wish);
  const read = (key: string): Record<string, unknown> => {
    assert.equal(values[`${key}.encoding`], "gzip+base64");
    return parsed(gunzipSync(Buffer.from(values[key] ?? "", "base64")));
  };
  const metadata = read("guestinfo.metadata");
  assert.deepEqual(metadata["redact"], ["userdata"]);
  assert.deepEqual(metadata["network"], parsed(cloudInitSeed(wish).files["network-config"]));
  assert.deepEqual(read("guestinfo.userdata"), parsed(cloudInitSeed(wish).files["user-data"]));
});
