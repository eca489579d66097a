/** Our user data, read by cloud-init's own code: what a guest would make of it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import type { GuestIdentity } from "../../src/driver-kit/guest/guest-identity.ts";
import { cloudInitData, userDataBounds, type CloudInitWish } from "../../src/driver-kit/guest/user-data.ts";
import { cloudInitSeed } from "../../src/driver-kit/guest/nocloud.ts";
import { generateKeyPair } from "../../src/ssh/keys.ts";

/** Debian's, which has cloud-init's modules; another Python comes first on some computers. */
const python = "/usr/bin/python3";
const skip =
  spawnSync(python, ["-c", "import cloudinit"]).status === 0 ? false : "cloud-init is not installed (scripts/test-packages.sh)";
const reader = path.join(import.meta.dirname, "cloud_init_reader.py");

interface Reading {
  readonly config: Readonly<Record<string, unknown>>;
  /** What is no cloud-config: type and content. */
  readonly others: readonly (readonly [string, string])[];
  /** What its schema, and so `cloud-init status`, complains about. */
  readonly complaint: string | null;
  readonly users: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly warnings: readonly string[];
}

/** cloud-init has no instance here to keep the parts of. */
const expectedWarnings = /No per instance data available/u;

function readByCloudInit(bytes: Uint8Array): Reading {
  const result = spawnSync(python, [reader], { input: bytes, timeout: 60_000 });
  assert.equal(result.status, 0, result.stderr.toString());
  const reading = JSON.parse(result.stdout.toString()) as Reading;
  return { ...reading, warnings: reading.warnings.filter((text) => !expectedWarnings.test(text)) };
}

const hostKey = generateKeyPair("web");
const identity: GuestIdentity = {
  hostName: "web",
  userName: "ubuntu",
  authorizedKeys: ['ssh-ed25519 AAAAus it\'s "me" \u{1f600} é'],
  hostKeys: [{ type: "ed25519", ...hostKey }],
};

function read(userData: string | Uint8Array | undefined, more: Partial<CloudInitWish> = {}): Reading {
  const bytes = userData === undefined ? undefined : Buffer.from(userData);
  return readByCloudInit(cloudInitData({ identity, keepsImageUser: true, userData: bytes, ...more }).bytes);
}

/** What must be there however the user's own looks. */
function assertOurs(reading: Reading): void {
  assert.deepEqual(reading.config["ssh_keys"], { ed25519_private: hostKey.privateKey, ed25519_public: hostKey.publicKey });
  assert.equal(reading.config["ssh_deletekeys"], true);
  assert.deepEqual(reading.users["ubuntu"]?.["ssh_authorized_keys"], identity.authorizedKeys);
  assert.equal(reading.users["ubuntu"]?.["default"], true);
  assert.deepEqual([reading.complaint, reading.warnings], [null, []]);
}

describe("user data read by cloud-init", { skip }, () => {
  test("alone: the keys to the letter, the image's own user with our login key, nothing to complain about", () => {
    const reading = read(undefined, {
      mounts: [["share0", "/srv", "virtiofs", "nofail"]],
      writeFiles: [
        { path: "/etc/a", content: "é\u{1f600}\n", permissions: "0644" },
        { path: "/etc/b", content: Buffer.from([0, 255]), permissions: "0600", owner: "root:root" },
      ],
    });
    assertOurs(reading);
    assert.deepEqual(reading.config["mounts"], [["share0", "/srv", "virtiofs", "nofail"]]);
    assert.deepEqual(reading.config["write_files"], [
      { path: "/etc/a", content: "é\u{1f600}\n", permissions: "0644" },
      { path: "/etc/b", content: "AP8=", permissions: "0600", owner: "root:root", encoding: "b64" },
    ]);
  });

  test("a user of another name is made beside the image's own, or in its place", () => {
    const named = { ...identity, userName: "docker" };
    const beside = read(undefined, { identity: named });
    assert.deepEqual(Object.keys(beside.users).toSorted(), ["docker", "ubuntu"]);
    assert.equal(beside.users["docker"]?.["primary_group"], "docker");
    assert.equal(beside.users["ubuntu"]?.["ssh_authorized_keys"], undefined);
    const instead = read(undefined, { identity: named, keepsImageUser: false });
    assert.deepEqual(Object.keys(instead.users), ["docker"]);
    assert.deepEqual([beside.complaint, instead.complaint], [null, null]);
  });

  test("with the user's cloud-config: lists are put together, the user's single values count", () => {
    const reading = read(
      "#cloud-config\nhostname: theirs\nusers:\n  - name: alice\nruncmd:\n  - [echo, hi]\nwrite_files:\n  - {path: /etc/c, content: c}\n",
      { writeFiles: [{ path: "/etc/a", content: "a", permissions: "0644" }] },
    );
    assertOurs(reading);
    assert.equal(reading.config["hostname"], "theirs");
    assert.deepEqual(reading.config["runcmd"], [["echo", "hi"]]);
    assert.deepEqual(Object.keys(reading.users).toSorted(), ["alice", "ubuntu"]);
    assert.deepEqual(
      (reading.config["write_files"] as { path: string }[]).map((file) => file.path),
      ["/etc/c", "/etc/a"],
    );
  });

  test("root can log in whatever the user's cloud-config says", () => {
    const root = { ...identity, userName: "root" };
    for (const userData of [undefined, "#cloud-config\ndisable_root: true\n"]) {
      const reading = read(userData, { identity: root });
      assert.equal(reading.config["disable_root"], false);
      assert.deepEqual(reading.users["root"]?.["ssh_authorized_keys"], identity.authorizedKeys);
    }
  });

  test("host keys of the user's own stay, and none of ours is among them", () => {
    const reading = read("#cloud-config\nssh_keys:\n  rsa_private: theirs\n");
    assert.deepEqual(reading.config["ssh_keys"], { rsa_private: "theirs" });
    assert.deepEqual(reading.users["ubuntu"]?.["ssh_authorized_keys"], identity.authorizedKeys);
  });

  test("host keys that hide in what we cannot see through do not win: what is pinned is what the guest has", () => {
    const hidden = Buffer.from("#cloud-config\nssh_keys: {ed25519_private: theirs, rsa_private: theirs}\n").toString("base64");
    const document = `MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/cloud-config\nContent-Transfer-Encoding: base64\n\n${hidden}\n--b--\n`;
    assertOurs(read(document));
  });

  const script = "#!/bin/sh\necho 'é' | tr é e\n\n--b\n";
  for (const [what, userData] of [
    ["a script", script],
    ["a script with Windows' line ends", "#!/bin/sh\r\necho hi\r\n"],
    ["a boot hook", "#cloud-boothook\n#!/bin/sh\necho hi\n"],
    ["a script in gzip", gzipSync(script)],
  ] as const) {
    test(`with ${what}: it arrives to the letter`, () => {
      const reading = read(userData);
      assertOurs(reading);
      const wanted = typeof userData === "string" ? userData : script;
      // A boot hook is handed to its handler as its type says, everything else by its first line.
      assert.deepEqual(
        reading.others.map(([, content]) => content),
        [wanted],
      );
    });
  }

  test("with an archive, a template and several parts: all of it is there", () => {
    assertOurs(read("#cloud-config-archive\n- '#!/bin/sh'\n- type: text/cloud-config\n  content: |\n    runcmd: [ls]\n"));
    const template = read("## template: jinja\n#cloud-config\nruncmd: [ls]\n");
    assertOurs(template);
    assert.deepEqual(
      template.others.map(([type]) => type),
      ["text/jinja2"],
    );
    const document =
      'Content-Type: multipart/mixed; boundary="b"\nMIME-Version: 1.0\n\n--b\nContent-Type: text/x-shellscript\n\n#!/bin/sh\necho é\n--b\nContent-Type: text/cloud-config\n\n#cloud-config\nruncmd: [ls]\n--b--\n';
    const parts = read(document);
    assertOurs(parts);
    // As it would have been read without us, letters beyond ASCII and all.
    assert.deepEqual(parts.others, readByCloudInit(Buffer.from(document)).others);
    assert.equal(parts.others.length, 1);
    assert.deepEqual(parts.config["runcmd"], ["ls"]);
  });

  test("packed for a provider: cloud-init unpacks it", () => {
    const userData = `#!/bin/sh\n${"# a line of a comment that says nothing\n".repeat(2_000)}`;
    const reading = read(userData, { bounds: userDataBounds.amazonec2 });
    assertOurs(reading);
    assert.deepEqual(reading.others, [["text/x-shellscript", userData]]);
  });

  test("a seed of our own says the same", () => {
    const { files } = cloudInitSeed({ identity, instanceId: "i-1", keepsImageUser: false });
    const reading = readByCloudInit(Buffer.from(files["user-data"] ?? ""));
    assert.deepEqual(Object.keys(reading.users), ["ubuntu"]);
    assert.deepEqual([reading.complaint, reading.warnings], [null, []]);
  });
});
