import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { cloudInitSeed, cloudInitTemplateSeed, credentialStrings, rekeyScript, type GuestIdentity } from "./identity.ts";
import { isoImage } from "../../driver-kit/guest/iso.ts";

const scratch = mkdtempSync(path.join(tmpdir(), "docker-machine-identity-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const identity: GuestIdentity = {
  hostName: "web-1",
  machineId: "0123456789abcdef0123456789abcdef",
  userName: "root",
  authorizedKey: "ssh-ed25519 AAAAuser it's me",
  hostKey: "-----BEGIN OPENSSH PRIVATE KEY-----\n%s \\n 'quoted' $HOME `id`\n-----END OPENSSH PRIVATE KEY-----\n",
  hostPublicKey: "ssh-ed25519 AAAAhost web-1",
};

/** Runs the script by a real shell with its files under a folder and its programs replaced. */
function runRekey(given: GuestIdentity): { readonly root: string; readonly calls: string } {
  const root = mkdtempSync(path.join(scratch, "root-"));
  for (const folder of ["etc/ssh", "etc/sudoers.d", "root", "home/ops", "proc/sys/kernel"])
    mkdirSync(path.join(root, folder), { recursive: true });
  const stubs = ["date", "systemctl", "id", "useradd", "usermod", "chown"]
    .map((name) => `${name}() { echo "${name} $*" >> ${root}/calls; }`)
    .join("\n");
  const script = rekeyScript(given, new Date("2026-01-02T03:04:05.678Z")).replaceAll(
    /(> | )(\/(?:etc|proc|root|home))/gu,
    `$1${root}$2`,
  );
  execFileSync("/bin/sh", ["-s"], { input: `${stubs}\n${script}` });
  return { root, calls: readFileSync(path.join(root, "calls"), "utf8") };
}

test("a restored guest gets clock, name, machine-id, host key and user key, in this order and to the letter", () => {
  const { root, calls } = runRekey(identity);
  const read = (file: string): string => readFileSync(path.join(root, file), "utf8");
  assert.deepEqual(calls.trim().split("\n"), ["date -u -s @1767323045.678", "systemctl start --no-block ssh.service"]);
  assert.equal(read("etc/hostname"), "web-1\n");
  assert.equal(read("proc/sys/kernel/hostname"), "web-1\n");
  assert.equal(read("etc/machine-id"), `${identity.machineId}\n`);
  assert.equal(read("etc/ssh/ssh_host_ed25519_key"), identity.hostKey);
  assert.equal(read("root/.ssh/authorized_keys"), `${identity.authorizedKey}\n`);
  assert.equal(statSync(path.join(root, "etc/ssh/ssh_host_ed25519_key")).mode & 0o777, 0o600);
  assert.equal(statSync(path.join(root, "root/.ssh")).mode & 0o777, 0o700);
});

test("a key of any text arrives unchanged in a restored guest", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("'", '"', "\\", "$", "`", "%", "\n", "a", " ", "é"), maxLength: 40 }),
      (hostKey) => {
        const { root } = runRekey({ ...identity, hostKey });
        assert.equal(readFileSync(path.join(root, "etc/ssh/ssh_host_ed25519_key"), "utf8"), hostKey);
      },
    ),
    { numRuns: 12 },
  );
});

test("a user other than root is made, and may use sudo and the engine", () => {
  const { root, calls } = runRekey({ ...identity, userName: "ops" });
  assert.match(calls, /usermod -aG docker ops/u);
  assert.equal(readFileSync(path.join(root, "etc/sudoers.d/ops"), "utf8"), "ops ALL=(ALL) NOPASSWD:ALL\n");
  assert.equal(readFileSync(path.join(root, "home/ops/.ssh/authorized_keys"), "utf8"), `${identity.authorizedKey}\n`);
});

test("credentials create what is missing and overwrite nothing", () => {
  const [files = "", ...others] = credentialStrings(identity);
  assert.deepEqual(others, []);
  const [name, value = ""] = files.split(/=(.*)/su);
  assert.equal(name, "io.systemd.credential.binary:tmpfiles.extra");
  const lines = Buffer.from(value, "base64").toString("utf8").trim().split("\n");
  for (const line of lines) assert.match(line, /^(?:f~|d) \//u);
  const hostKey = lines.find((line) => line.startsWith("f~ /etc/ssh/ssh_host_ed25519_key 0600 root root - ")) ?? "";
  assert.equal(Buffer.from(hostKey.split(" ").at(-1) ?? "", "base64").toString("utf8"), identity.hostKey);
  const users = Buffer.from(credentialStrings({ ...identity, userName: "ops" })[1]?.split(/=(.*)/su)[1] ?? "", "base64").toString(
    "utf8",
  );
  assert.equal(users, 'u ops - "" /home/ops /bin/bash\nm ops docker\n');
});

test("a cloud-init seed holds the identity; a template's holds none", () => {
  const seed = cloudInitSeed(identity, "i-1", [["share0", "/srv", "virtiofs", "nofail"]]);
  const userData = seed["user-data"] ?? "";
  assert.ok(userData.startsWith("#cloud-config\n"));
  const config = JSON.parse(userData.slice("#cloud-config\n".length)) as Record<string, unknown>;
  assert.deepEqual(config["ssh_keys"], { ed25519_private: identity.hostKey, ed25519_public: identity.hostPublicKey });
  assert.deepEqual(config["users"], [{ name: "root", ssh_authorized_keys: [identity.authorizedKey] }]);
  assert.deepEqual(config["mounts"], [["share0", "/srv", "virtiofs", "nofail"]]);
  assert.deepEqual(JSON.parse(seed["meta-data"] ?? ""), { "instance-id": "i-1", "local-hostname": "web-1" });
  const template = JSON.stringify(cloudInitTemplateSeed("i-2"));
  assert.equal(/PRIVATE|ssh-ed25519|authorized/u.test(template), false);
});

/** Reads an image as a reader of ECMA-119 does: volume descriptor, root record, directory. */
function readIso(image: Buffer): { readonly label: string; readonly files: Record<string, string> } {
  const volume = image.subarray(16 * 2048, 17 * 2048);
  assert.equal(volume.toString("latin1", 1, 6), "CD001");
  assert.equal(volume.readUInt32LE(80), image.length / 2048);
  assert.equal(volume.readUInt32LE(80), volume.readUInt32BE(84));
  const root = volume.subarray(156, 190);
  const directory = image.subarray(root.readUInt32LE(2) * 2048, root.readUInt32LE(2) * 2048 + root.readUInt32LE(10));
  const files: Record<string, string> = {};
  for (let at = 0; at < directory.length && directory[at] !== 0; at += directory.readUInt8(at)) {
    const record = directory.subarray(at, at + directory.readUInt8(at));
    if ((record.readUInt8(25) & 2) !== 0) continue;
    const start = record.readUInt32LE(2) * 2048;
    files[record.toString("latin1", 33, 33 + record.readUInt8(32))] = image.toString(
      "utf8",
      start,
      start + record.readUInt32LE(10),
    );
  }
  return { label: volume.toString("latin1", 40, 72).trim(), files };
}

test("the seed's CD image reads back as it was written", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 6_000 });
  fc.assert(
    fc.property(text, text, (userData, metaData) => {
      const files = { "user-data": userData, "meta-data": metaData };
      assert.deepEqual(readIso(isoImage("cidata", files)), { label: "cidata", files });
    }),
    { numRuns: 40 },
  );
});
