import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { generateKeyPair } from "./keys.ts";
import { entryMatches, judgeHostKey, keysFor, knownHostsName, parseKnownHosts, type KnownHostsEntry } from "./known-hosts.ts";
import { fingerprintOf, formatPublicKey, parsePublicKey, type PublicKey } from "./public-key.ts";

const noKeygen = spawnSync("ssh-keygen", ["-?"]).error === undefined ? false : "ssh-keygen is not installed";

function newKey(): PublicKey {
  const key = parsePublicKey(generateKeyPair("x").publicKey);
  assert.ok(key);
  return key;
}

const key = newKey();
const other = newKey();
const line = formatPublicKey(key);

function verdict(text: string, hostName: string, port = 22, presented = key): string {
  return judgeHostKey(parseKnownHosts(text), hostName, port, presented).verdict;
}

test("names, ports, patterns and negation are matched as ssh-keygen -F does", { skip: noKeygen }, () => {
  const hosts = [
    "plain.example",
    "a.example,b.example",
    "*.example",
    "web?.example",
    "*.example,!b.example",
    "!b.example,*.example",
    "[a.example]:2222",
    "[*.example]:2222",
    "[*]:22*",
    "192.0.2.7",
    "2001:db8::7",
    "[2001:db8::7]:2222",
    "A.EXAMPLE",
    "*",
  ];
  const names = [
    "plain.example",
    "a.example",
    "b.example",
    "web1.example",
    "[a.example]:2222",
    "[2001:db8::7]:2222",
    "2001:db8::7",
    "192.0.2.7",
  ];
  const folder = mkdtempSync(path.join(tmpdir(), "known-hosts-"));
  try {
    const file = path.join(folder, "file");
    writeFileSync(file, hosts.map((pattern) => `${pattern} ${line}\n`).join(""));
    const entries = parseKnownHosts(readFileSync(file, "utf8"));
    assert.equal(entries.length, hosts.length);
    for (const name of names) {
      const { stdout } = spawnSync("ssh-keygen", ["-F", name, "-f", file], { encoding: "utf8" });
      const expected = [...stdout.matchAll(/found: line (\d+)/gu)].map(([, number]) => hosts[Number(number) - 1]);
      assert.deepEqual(
        hosts.filter((_, index) => entryMatches(entries[index] as KnownHostsEntry, name)),
        expected,
        name,
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("names that ssh-keygen hashed are found, and no others", { skip: noKeygen }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), "known-hosts-"));
  try {
    const file = path.join(folder, "file");
    writeFileSync(file, `web.example ${line}\n[web.example]:2222 ${formatPublicKey(other)}\n`);
    assert.equal(spawnSync("ssh-keygen", ["-H", "-f", file]).status, 0);
    const text = readFileSync(file, "utf8");
    assert.match(text, /^\|1\|/u);
    assert.deepEqual(keysFor(parseKnownHosts(text), "web.example").map(fingerprintOf), [fingerprintOf(key)]);
    assert.deepEqual(keysFor(parseKnownHosts(text), knownHostsName("web.example", 2222)).map(fingerprintOf), [
      fingerprintOf(other),
    ]);
    assert.deepEqual(keysFor(parseKnownHosts(text), "db.example"), []);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a key is known, changed or unknown", () => {
  assert.equal(verdict(`h ${line}`, "h"), "known");
  assert.equal(verdict(`h ${line}`, "h", 22, other), "changed");
  assert.equal(verdict(`g ${line}`, "h"), "unknown");
});

test("a key of the bare address counts on any port, but contradicts nothing there", () => {
  assert.equal(verdict(`h ${line}`, "h", 2222), "known");
  assert.equal(verdict(`h ${line}`, "h", 2222, other), "unknown");
  assert.equal(verdict(`[h]:2222 ${line}`, "h", 2222, other), "changed");
});

test("a revoked key is never accepted, whatever else stands there", () => {
  assert.equal(verdict(`@revoked * ${line}\nh ${line}`, "h"), "revoked");
  assert.equal(verdict(`@revoked g ${line}\nh ${line}`, "h"), "known");
});

test("a certificate authority is no host key", () => {
  assert.equal(verdict(`@cert-authority * ${line}`, "h"), "unknown");
  assert.equal(verdict(`@cert-authority * ${line}`, "h", 22, other), "unknown");
});

test("what is no entry is passed over", () => {
  const damaged = [
    "",
    "# h ssh-ed25519 AAAA",
    "h",
    "h ssh-ed25519",
    "h ssh-ed25519 !!!",
    "h 1024 35 1234567",
    "@future h " + line,
    `h ssh-rsa ${key.blob.toString("base64")}`,
    `h ${line} a comment`,
  ];
  assert.equal(parseKnownHosts(damaged.join("\r\n")).length, 1);
});
