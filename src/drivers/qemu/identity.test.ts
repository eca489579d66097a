import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { cloudInitTemplateSeed, credentialStrings, rekeyScript, type QemuIdentity } from "./identity.ts";

const scratch = mkdtempSync(path.join(tmpdir(), "docker-machine-identity-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const authorizedKey = "ssh-ed25519 AAAAuser it's me";
const hostKey = "-----BEGIN OPENSSH PRIVATE KEY-----\n%s \\n 'quoted' $HOME `id`\n-----END OPENSSH PRIVATE KEY-----\n";
const identity: QemuIdentity = {
  hostName: "web-1",
  machineId: "0123456789abcdef0123456789abcdef",
  userName: "root",
  authorizedKeys: [authorizedKey],
  hostKeys: [{ type: "ed25519", privateKey: hostKey, publicKey: "ssh-ed25519 AAAAhost web-1" }],
};

/** Runs the script by a real shell with its files under a folder and its programs replaced. */
function runRekey(given: QemuIdentity): { readonly root: string; readonly calls: string } {
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
  assert.equal(read("etc/ssh/ssh_host_ed25519_key"), hostKey);
  assert.equal(read("root/.ssh/authorized_keys"), `${authorizedKey}\n`);
  assert.equal(statSync(path.join(root, "etc/ssh/ssh_host_ed25519_key")).mode & 0o777, 0o600);
  assert.equal(statSync(path.join(root, "root/.ssh")).mode & 0o777, 0o700);
});

test("a key of any text arrives unchanged in a restored guest", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("'", '"', "\\", "$", "`", "%", "\n", "a", " ", "é"), maxLength: 40 }),
      (privateKey) => {
        const { root } = runRekey({ ...identity, hostKeys: [{ type: "ed25519", privateKey, publicKey: "" }] });
        assert.equal(readFileSync(path.join(root, "etc/ssh/ssh_host_ed25519_key"), "utf8"), privateKey);
      },
    ),
    { numRuns: 12 },
  );
});

test("a user other than root is made, and may use sudo and the engine", () => {
  const { root, calls } = runRekey({ ...identity, userName: "ops" });
  assert.match(calls, /usermod -aG docker ops/u);
  assert.equal(readFileSync(path.join(root, "etc/sudoers.d/ops"), "utf8"), "ops ALL=(ALL) NOPASSWD:ALL\n");
  assert.equal(readFileSync(path.join(root, "home/ops/.ssh/authorized_keys"), "utf8"), `${authorizedKey}\n`);
});

test("credentials create what is missing and overwrite nothing", () => {
  const [files = "", ...others] = credentialStrings(identity);
  assert.deepEqual(others, []);
  const [name, value = ""] = files.split(/=(.*)/su);
  assert.equal(name, "io.systemd.credential.binary:tmpfiles.extra");
  const lines = Buffer.from(value, "base64").toString("utf8").trim().split("\n");
  for (const line of lines) assert.match(line, /^(?:f~|d) \//u);
  const line = lines.find((line) => line.startsWith("f~ /etc/ssh/ssh_host_ed25519_key 0600 root root - ")) ?? "";
  assert.equal(Buffer.from(line.split(" ").at(-1) ?? "", "base64").toString("utf8"), hostKey);
  const users = Buffer.from(credentialStrings({ ...identity, userName: "ops" })[1]?.split(/=(.*)/su)[1] ?? "", "base64").toString(
    "utf8",
  );
  assert.equal(users, 'u ops - "" /home/ops /bin/bash\nm ops docker\n');
});

test("a template's seed holds no identity", () => {
  const template = JSON.stringify(cloudInitTemplateSeed("i-2"));
  assert.equal(/PRIVATE|ssh-ed25519|authorized/u.test(template), false);
});
