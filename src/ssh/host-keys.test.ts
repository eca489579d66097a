import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { isMachineError } from "../errors/machine-error.ts";
import type { ProgressEvent } from "../log/event.ts";
import type { HostKeyPolicy, SshTarget } from "./executor.ts";
import {
  ensurePinnedKeys,
  firstKeysOf,
  loadPinnedKeys,
  pinFirstKey,
  pinHostKeys,
  pinInjectedHostKeys,
  type HostKeyScanner,
} from "./host-keys.ts";
import { generateKeyPair } from "./keys.ts";
import { fingerprintOf, formatPublicKey, parsePublicKey, type PublicKey } from "./public-key.ts";
import { encodeMpint, encodeString } from "./wire.ts";

function ed25519(): PublicKey {
  return parsePublicKey(generateKeyPair("x").publicKey) as PublicKey;
}

function rsa(): PublicKey {
  const modulus = ed25519().blob;
  return { type: "ssh-rsa", blob: Buffer.concat([encodeString("ssh-rsa"), encodeMpint(Buffer.of(3)), encodeMpint(modulus)]) };
}

/** A host with some keys; shows the first that fits, and counts how often it was asked. */
class Host {
  readonly asked: (readonly string[] | undefined)[] = [];
  readonly keys: readonly PublicKey[];

  constructor(...keys: readonly PublicKey[]) {
    this.keys = keys;
  }

  readonly scan: HostKeyScanner = async (types) => {
    this.asked.push(types);
    return this.keys.find((key) => types === undefined || types.includes(key.type));
  };
}

describe("host keys", () => {
  let folder = "";
  let events: ProgressEvent[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "host-keys-"));
    events = [];
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  function target(policy: Partial<HostKeyPolicy> = {}): SshTarget {
    return {
      hostName: "192.0.2.7",
      port: 22,
      userName: "root",
      connectTimeoutMs: 1_000,
      hostKeys: {
        knownHostsFile: path.join(folder, "machine", "known_hosts"),
        alias: "web",
        unknown: "trust-first-use",
        ...policy,
      },
    };
  }
  const settle = (host: Host, policy: Partial<HostKeyPolicy> = {}): Promise<readonly PublicKey[]> =>
    ensurePinnedKeys(target(policy), host.scan, (event) => events.push(event));
  const pinnedEvents = (): unknown[] => events.filter((event) => event.type === "host-key-pinned");
  const refused =
    (...patterns: readonly RegExp[]) =>
    (error: unknown): boolean => {
      assert.ok(isMachineError(error, "host-key-mismatch"), String(error));
      for (const pattern of patterns) assert.match(error.message, pattern);
      assert.match(error.hint ?? "", /docker-machine ssh-host-key web --accept SHA256:|ssh-keygen -A/u);
      return true;
    };
  const naming = (...keys: readonly PublicKey[]): RegExp[] =>
    keys.map((key) => new RegExp(fingerprintOf(key).replaceAll("+", "\\+"), "u"));
  const userFile = async (...lines: readonly string[]): Promise<Partial<HostKeyPolicy>> => {
    const file = path.join(folder, "user_known_hosts");
    await writeFile(file, lines.map((line) => `${line}\n`).join(""));
    return { userKnownHostsFiles: [file, path.join(folder, "absent")] };
  };

  const pins = async (machine: string, ...keys: readonly PublicKey[]) => {
    const knownHostsFile = path.join(folder, machine);
    await writeFile(knownHostsFile, keys.map((each) => `${machine} ${formatPublicKey(each)}\n`).join(""));
    return { machine, knownHostsFile, isSameBox: false };
  };

  test("who stands where another machine does has to be that one, unless the user knows better", async () => {
    const [known, shown, otherType] = [ed25519(), ed25519(), rsa()];
    const others = (...keys: readonly PublicKey[]) => ({
      othersPins: async () => [{ ...(await pins("old", ...keys)), isSameBox: true }, await pins("db", shown)],
    });
    const refusal = (error: unknown): boolean =>
      isMachineError(error, "host-key-mismatch") &&
      /is not the one of "old", which is the same box: .* Nothing was sent$/u.test(error.message) &&
      /docker-machine ssh-host-key old --accept SHA256:/u.test(error.hint ?? "");
    const stranger = { othersPins: async () => [{ ...(await pins("old", known)), isSameBox: true }] };
    await assert.rejects(settle(new Host(shown), stranger), refusal);
    await assert.rejects(
      settle(new Host(shown), { othersPins: async () => [{ ...(await pins("old", otherType)), isSameBox: true }] }),
      refusal,
    );
    await assert.rejects(
      pinFirstKey(target(stranger), shown, (event) => events.push(event)),
      refusal,
    );
    assert.deepEqual(pinnedEvents(), []);
    assert.deepEqual(await firstKeysOf(target(others(known))), [known], "the login takes that key alone");
    await settle(new Host(known), others(known));
    await rm(target().hostKeys.knownHostsFile);
    await settle(new Host(shown), { ...stranger, ...(await userFile(`192.0.2.7 ${formatPublicKey(shown)}`)) });
    assert.deepEqual(
      pinnedEvents().map((event) => (event as { trust?: string }).trust),
      ["other-machine", "known-hosts"],
    );
  });

  test("a box that another machine is, too, is told as that, and a strict machine is not convinced by it", async () => {
    const [key, other] = [ed25519(), ed25519()];
    const othersPins = async () => [await pins("none"), await pins("db", other), await pins("old-web", other, key)];
    await assert.rejects(settle(new Host(key), { othersPins, unknown: "refuse" }));
    await settle(new Host(key), { othersPins });
    const told = { type: "host-key-pinned", host: "web", fingerprint: fingerprintOf(key) };
    assert.deepEqual(pinnedEvents(), [{ ...told, trust: "other-machine", sameAs: "old-web" }]);
    await pinFirstKey(target({ othersPins }), key, (event) => events.push(event));
    assert.deepEqual(pinnedEvents()[1], pinnedEvents()[0]);
  });

  test("an unknown host is trusted once, pinned privately and reported", async () => {
    const key = ed25519();
    const host = new Host(key);
    assert.deepEqual(await settle(host), [key]);
    assert.deepEqual(pinnedEvents(), [
      { type: "host-key-pinned", host: "web", fingerprint: fingerprintOf(key), trust: "first-use" },
    ]);
    assert.equal(await readFile(target().hostKeys.knownHostsFile, "utf8"), `web ${formatPublicKey(key)}\n`);
    assert.equal((await stat(target().hostKeys.knownHostsFile)).mode & 0o777, 0o600);
    await settle(host);
    assert.equal(host.asked.length, 1);
    assert.equal(pinnedEvents().length, 1);
  });

  test("an unknown host is refused where the policy says so, and nothing is pinned", async () => {
    const key = ed25519();
    await assert.rejects(settle(new Host(key), { unknown: "refuse" }), refused(/not known/u, ...naming(key)));
    assert.deepEqual(await loadPinnedKeys(target().hostKeys), []);
  });

  test("the expected fingerprint is looked for among all keys of the host", async () => {
    const [shown, wanted] = [ed25519(), rsa()];
    assert.deepEqual(await settle(new Host(shown, wanted), { expectedFingerprint: fingerprintOf(wanted) }), [wanted]);
    assert.equal((pinnedEvents()[0] as { trust: string }).trust, "expected");
  });

  test("a host without the expected key is refused, both fingerprints named", async () => {
    const [shown, wanted] = [ed25519(), ed25519()];
    await assert.rejects(
      settle(new Host(shown), { expectedFingerprint: fingerprintOf(wanted) }),
      refused(...naming(shown, wanted)),
    );
    assert.deepEqual(await loadPinnedKeys(target().hostKeys), []);
  });

  test("an expected fingerprint replaces a pinned key that has another", async () => {
    const [before, now] = [ed25519(), ed25519()];
    await pinHostKeys(target().hostKeys, [before]);
    assert.deepEqual(await settle(new Host(now), { expectedFingerprint: fingerprintOf(now) }), [now]);
    assert.deepEqual(await loadPinnedKeys(target().hostKeys), [now]);
  });

  test("keys that were pinned by another name count, for the file is the machine's own: its folder was renamed", async () => {
    const [key, other] = [ed25519(), ed25519()];
    await pinHostKeys({ ...target().hostKeys, alias: "before" }, [key]);
    const host = new Host(other);
    assert.deepEqual(await settle(host), [key]);
    assert.deepEqual([host.asked, pinnedEvents()], [[], []]);
    assert.equal(await readFile(target().hostKeys.knownHostsFile, "utf8"), `web ${formatPublicKey(key)}\n`);
  });

  test("pinned keys decide alone: the host is not asked, whatever the user's known_hosts says", async () => {
    const key = ed25519();
    await pinHostKeys(target().hostKeys, [key]);
    const host = new Host(ed25519());
    assert.deepEqual(await settle(host, await userFile(`192.0.2.7 ${formatPublicKey(ed25519())}`)), [key]);
    assert.deepEqual(host.asked, []);
  });

  test("injected keys are pinned and reported; what is no key is left out", async () => {
    const key = ed25519();
    await pinInjectedHostKeys(target().hostKeys, ["garbage", `${formatPublicKey(key)} root@web`], (event) => events.push(event));
    assert.deepEqual(await settle(new Host()), [key]);
    assert.deepEqual(pinnedEvents(), [
      { type: "host-key-pinned", host: "web", fingerprint: fingerprintOf(key), trust: "injected" },
    ]);
  });

  test("a host the user knows is asked for the key type that is known", async () => {
    const [shown, known] = [ed25519(), rsa()];
    const host = new Host(shown, known);
    assert.deepEqual(await settle(host, await userFile(`192.0.2.7 ${formatPublicKey(known)}`)), [known]);
    assert.deepEqual(host.asked, [["ssh-rsa"]]);
    assert.equal((pinnedEvents()[0] as { trust: string }).trust, "known-hosts");
  });

  test("a host the user knows by another key is refused, even by another type of key", async () => {
    const [shown, known, otherType] = [ed25519(), ed25519(), rsa()];
    await assert.rejects(
      settle(new Host(shown), await userFile(`192.0.2.7 ${formatPublicKey(known)}`)),
      refused(...naming(shown, known)),
    );
    await assert.rejects(
      settle(new Host(shown), await userFile(`192.0.2.7 ${formatPublicKey(otherType)}`)),
      refused(...naming(shown, otherType)),
    );
    assert.deepEqual(pinnedEvents(), []);
  });

  test("any key will do of a host of which nothing is known, and of one that the user knows those that are known", async () => {
    const [key, other] = [ed25519(), rsa()];
    const text = formatPublicKey(key);
    assert.equal(await firstKeysOf(target()), "any");
    assert.equal(
      await firstKeysOf(target(await userFile(`other ${text}`, `192.0.2.8 ${text}`, `[192.0.2.9]:22 ${text}`))),
      "any",
    );
    const salt = Buffer.from("salt");
    const hash = createHmac("sha1", salt).update("192.0.2.7").digest("base64");
    for (const name of ["192.0.2.7", "192.0.2.*", `|1|${salt.toString("base64")}|${hash}`]) {
      const known = await userFile(`${name} ${text}`, `192.0.2.7 ${formatPublicKey(other)}`);
      assert.deepEqual(await firstKeysOf(target({ ...known, unknown: "refuse" })), [key, other], name);
    }
    const elsewhere = { ...target(await userFile(`192.0.2.7 ${text}`)), port: 2222 };
    assert.deepEqual(await firstKeysOf(elsewhere), [key], "a key of the bare address is good on any port");
  });

  test("a host is asked for its key before the login where it takes more to judge", async () => {
    const key = ed25519();
    for (const line of [`@revoked * ${formatPublicKey(key)}`, `@cert-authority 192.0.2.7 ${formatPublicKey(key)}`])
      assert.equal(await firstKeysOf(target(await userFile(line))), undefined, line);
    assert.equal(await firstKeysOf(target({ unknown: "refuse" })), undefined);
    assert.equal(await firstKeysOf(target({ expectedFingerprint: "SHA256:x" })), undefined);
    assert.equal(await firstKeysOf({ ...target(), configHost: "box" }), undefined);
    await pinHostKeys(target().hostKeys, [key]);
    assert.equal(await firstKeysOf(target()), undefined);
  });

  test("a revoked key is refused", async () => {
    const key = ed25519();
    await assert.rejects(
      settle(new Host(key), await userFile(`@revoked * ${formatPublicKey(key)}`)),
      refused(/revoked/u, ...naming(key)),
    );
  });

  test("a host that shows no key at all is an error, not a crash", async () => {
    await assert.rejects(settle(new Host()), (error) => isMachineError(error, "ssh-unreachable"));
    await assert.rejects(settle(new Host(), { expectedFingerprint: "SHA256:x" }), (error) =>
      isMachineError(error, "ssh-unreachable"),
    );
  });
});
