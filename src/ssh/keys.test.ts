import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import { isMachineError, type MachineError } from "../errors/machine-error.ts";
import { ensureKeyPair, generateKeyPair, loadPrivateKey, portablePrivateKey } from "./keys.ts";
import { formatPublicKey } from "./public-key.ts";

const noKeygen = spawnSync("ssh-keygen", ["-?"]).error === undefined ? false : "ssh-keygen is not installed";
const linux = { os: "linux" } as const;

function keygen(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync("ssh-keygen", args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout;
}

function unusable(pattern: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isMachineError(error, "ssh-key-unusable"), String(error));
    assert.match(error.message, pattern);
    assert.ok(error.hint);
    return true;
  };
}

describe("keys", () => {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "keys-"));
  });
  after(async () => {
    await rm(folder, { recursive: true });
  });
  const file = (name: string): string => path.join(folder, name);
  const store = async (name: string, text: string): Promise<string> => {
    await writeFile(file(name), text, { mode: 0o600 });
    return file(name);
  };

  test("ssh-keygen reads what we make, for every length of comment", { skip: noKeygen }, async () => {
    for (const comment of ["", "a", "docker-machine web", "0123456789"]) {
      const pair = generateKeyPair(comment);
      const name = await store("made", pair.privateKey);
      assert.equal(keygen("-y", "-f", name).trim(), pair.publicKey.trim());
    }
  });

  test("a machine's key pair is made once, private, with its public half beside it", async () => {
    const machine = file("machine");
    const made = await ensureKeyPair(machine, "web", linux);
    assert.equal(made.privateKeyPath, path.join(machine, "id_ed25519"));
    assert.equal((await stat(made.privateKeyPath)).mode & 0o777, 0o600);
    assert.equal(await readFile(`${made.privateKeyPath}.pub`, "utf8"), `${made.publicKey}\n`);
    assert.deepEqual(await ensureKeyPair(machine, "web", linux), made);
  });

  test("the id_rsa that 0.16.2 made is kept", { skip: noKeygen }, async () => {
    const machine = file("old-machine");
    await ensureKeyPair(machine, "x", linux);
    await rm(path.join(machine, "id_ed25519"));
    keygen("-q", "-t", "rsa", "-b", "1024", "-m", "PEM", "-N", "", "-f", path.join(machine, "id_rsa"));
    const { privateKeyPath, publicKey } = await ensureKeyPair(machine, "x", linux);
    assert.equal(privateKeyPath, path.join(machine, "id_rsa"));
    assert.match(publicKey, /^ssh-rsa /u);
  });

  for (const [format, type] of [
    ["RFC4716", "ed25519"],
    ["RFC4716", "rsa"],
    ["RFC4716", "ecdsa"],
    ["PEM", "rsa"],
    ["PEM", "ecdsa"],
    ["PKCS8", "rsa"],
    ["PKCS8", "ecdsa"],
  ] as const) {
    test(`the public half of a ${type} key in ${format} is what ssh-keygen says`, { skip: noKeygen }, async () => {
      const name = file(`${type}-${format}`);
      keygen("-q", "-t", type, ...(type === "rsa" ? ["-b", "1024"] : []), "-m", format, "-N", "", "-f", name);
      const key = await loadPrivateKey(name, linux);
      assert.equal(key.encrypted, false);
      assert.ok(key.publicKey);
      assert.equal(formatPublicKey(key.publicKey), keygen("-y", "-f", name).split(" ").slice(0, 2).join(" ").trim());
      const portable = await store("portable", portablePrivateKey(key));
      assert.equal((await loadPrivateKey(portable, linux)).publicKey?.blob.equals(key.publicKey.blob), true);
      assert.doesNotMatch(await readFile(portable, "utf8"), /BEGIN PRIVATE KEY/u);
    });
  }

  test("ed25519 in PKCS#8, which OpenSSL writes, becomes OpenSSH's format", { skip: noKeygen }, async () => {
    const pem = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const key = await loadPrivateKey(await store("pkcs8", pem), linux);
    const portable = await store("pkcs8-portable", portablePrivateKey(key));
    assert.ok(key.publicKey);
    assert.equal(keygen("-y", "-f", portable).trim(), formatPublicKey(key.publicKey));
  });

  test("an encrypted key is seen as one, with its public half where the format shows it", { skip: noKeygen }, async () => {
    for (const [format, visible] of [
      ["RFC4716", true],
      ["PEM", false],
      ["PKCS8", false],
    ] as const) {
      const name = file(`encrypted-${format}`);
      keygen("-q", "-t", "ecdsa", "-m", format, "-N", "secret", "-f", name);
      const key = await loadPrivateKey(name, linux);
      assert.equal(key.encrypted, true, format);
      assert.ok(key.publicKey !== undefined, `${format}: beside it`);
      await rm(`${name}.pub`);
      assert.equal((await loadPrivateKey(name, linux)).publicKey !== undefined, visible, format);
    }
  });

  test("a key that others can read is refused in 0.16.2's words, except on Windows", async () => {
    const name = await store("open", generateKeyPair("x").privateKey);
    await chmod(name, 0o644);
    await assert.rejects(loadPrivateKey(name, linux), (error: MachineError) => {
      assert.equal(error.message, `permissions 0644 for '${name}' are too open`);
      assert.equal(error.hint, `chmod 600 '${name}'`);
      return error.code === "ssh-key-unusable";
    });
    assert.ok(await loadPrivateKey(name, { os: "windows" }));
  });

  test("what is no usable key is said to be what it is", async () => {
    await assert.rejects(loadPrivateKey(file("nowhere"), linux), unusable(/^SSH key does not exist: ".*nowhere"$/u));
    await assert.rejects(loadPrivateKey(folder, linux), unusable(/not readable/u));
    await assert.rejects(loadPrivateKey(await store("text", "hello"), linux), unusable(/is not a private key/u));
    await assert.rejects(
      loadPrivateKey(await store("id.pub", generateKeyPair("x").publicKey), linux),
      unusable(/is a public key/u),
    );
    const cut = generateKeyPair("x").privateKey.slice(0, 120);
    await assert.rejects(loadPrivateKey(await store("cut", cut), linux), unusable(/damaged/u));
    await assert.rejects(
      loadPrivateKey(await store("junk", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"), linux),
      unusable(/damaged/u),
    );
  });
});
