/**
 * A host key that changed or was not expected stops everything before a secret is sent: the sudo password and the
 * server's key never arrive at whoever answers in the host's place.
 */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { describe, test } from "node:test";
import type { ServerChannel } from "ssh2";
import { generateKeyPair } from "../../src/ssh/keys.ts";
import { fingerprintOf, formatPublicKey } from "../../src/ssh/public-key.ts";
import { labUnavailableReason, openLab, type Lab, type LabHost } from "../lab/lab.ts";
import { startFakeSsh, type FakeSshServer } from "../ssh/misbehaving-servers.ts";
import { assertFails, failureOf } from "./failing.ts";
import { createArguments } from "./generic-flags.ts";
import { Program } from "./program.ts";
import { createRelayedMachine } from "./relayed-machine.ts";
import { machineFolders } from "./store-contents.ts";

const unavailable = await labUnavailableReason();

const backends = { OpenSSH: {}, native: { MACHINE_NATIVE_SSH: "1" } } as const;

describe("host keys", { skip: unavailable ?? false }, () => {
  test("a man in the middle gets neither password nor key, whatever the command", async () => {
    await using lab = await openLab();
    await using program = await Program.open();
    await using scene = await openScene(lab, program);
    await using impostor = await startFakeSsh();
    scene.putInBetween(impostor);
    for (const [backend, env] of Object.entries(backends)) {
      for (const words of [
        ["provision", "web"],
        ["regenerate-certs", "--force", "web"],
        ["upgrade", "web"],
        ["ssh", "web", "id"],
        ["scp", path.join(program.folder, "password"), "web:/tmp/"],
        ["restart", "web"],
        ["rm", "-y", "--restore", "web"],
      ]) {
        const { sentence, hint, status } = await failureOf(program, words, { env });
        const label = `${backend}: ${words.join(" ")}`;
        assert.match(
          sentence,
          /The host key of "web" \(127\.0\.0\.1:\d+\) is not the expected one: expected SHA256:\S+, presented SHA256:\S+ \(ssh-ed25519\)\. Nothing was sent$/u,
          label,
        );
        for (const key of [scene.pinned, fingerprintOf(impostor.hostKey)]) assert.ok(sentence.includes(key), label);
        assert.ok(hint.includes(`docker-machine ssh-host-key web --accept ${fingerprintOf(impostor.hostKey)}`), label);
        assert.equal(status, 1, label);
      }
    }
    // Even by force: with the record the way back to the right host would be lost, and its pin with it.
    for (const env of Object.values(backends)) {
      const { sentence, status } = await failureOf(program, ["rm", "-f", "--restore", "web"], { env });
      assert.match(sentence, /Nothing was sent\. The record and the pinned key of "web" are kept$/u);
      assert.equal(status, 1);
      assert.ok((await program.ok(["ssh-host-key", "web"])).includes(scene.pinned));
    }
    assert.deepEqual([impostor.logins, impostor.commands, impostor.received()], [[], [], ""]);
  });

  test("the test would see it: an impostor that is trusted gets the password", async () => {
    await using lab = await openLab();
    await using program = await Program.open();
    await using scene = await openScene(lab, program);
    await using impostor = await startFakeSsh({ command: claimToNeedAPassword });
    scene.putInBetween(impostor);
    await program.ok(["ssh-host-key", "web", "--accept", fingerprintOf(impostor.hostKey)]);
    await failureOf(program, ["provision", "web"], { env: { MACHINE_TIMEOUT_PROBE: "3s" } });
    assert.ok(impostor.received().includes(scene.password));
  });

  test("a host whose keys were replaced: nobody logs in until the new key is accepted", async () => {
    await using lab = await openLab();
    await using host = await lab.start("bookworm-engine");
    await using program = await Program.open();
    await program.ok(createArguments(host, "web"));
    const pinned = (await program.ok(["ssh-host-key", "web"])).trim();
    assert.match(pinned, /^SHA256:\S{43} ssh-ed25519$/u);
    const logins = async (): Promise<number> =>
      Number(await host.sh("journalctl -q -u ssh | grep -c 'Accepted publickey' || true"));
    const before = await logins();
    assert.ok(before > 0, "the journal tells of logins");

    const replaced = await replaceHostKeys(host);
    for (const env of Object.values(backends)) {
      const { sentence } = await failureOf(program, ["provision", "web"], { env });
      assert.match(
        sentence,
        /is not the expected one: expected SHA256:\S+, presented SHA256:\S+ \(ssh-ed25519\)\. Nothing was sent$/u,
      );
      assert.ok(sentence.includes(pinned.split(" ")[0] ?? "") && sentence.includes(replaced), sentence);
    }
    const wrong = `SHA256:${"A".repeat(43)}`;
    await assertFails(program, ["ssh-host-key", "web", "--accept", wrong], {
      sentence: /is not the expected one/u,
      hint: /ssh-host-key web --accept/u,
    });
    assert.equal((await program.ok(["ssh-host-key", "web"])).trim(), pinned);
    assert.equal(await logins(), before);

    assert.equal(await program.ok(["ssh-host-key", "web", "--accept", replaced]), `${replaced} ssh-ed25519\n`);
    await program.ok(["provision", "web"]);
    assert.ok((await logins()) > before);

    // Another kind of key than the pinned one is another key, too.
    await host.sh("rm /etc/ssh/ssh_host_ed25519_key*; systemctl restart ssh");
    for (const env of Object.values(backends)) {
      assert.match((await failureOf(program, ["provision", "web"], { env })).sentence, /Nothing was sent$/u);
    }
    assert.match(await program.ok(["ssh-host-key", "web", "--forget"]), /^No host key is pinned/u);
    assert.equal(await program.ok(["ssh", "web", "id", "-un"]), "root\n");
    assert.match(await program.ok(["ssh-host-key", "web"]), /^SHA256:\S{43} (?:ecdsa|ssh-rsa)/u);
  });

  for (const [backend, env] of Object.entries(backends)) {
    test(`first contact, ${backend}: the fingerprint asked for and the user's known_hosts decide`, async () => {
      await using program = await Program.open();
      await using impostor = await startFakeSsh();
      const create = createArguments(await impostorAsHost(program, impostor), "web");
      const expected = `SHA256:${"A".repeat(43)}`;
      const failure = {
        sentence:
          /^The host key of "web" \(127\.0\.0\.1:\d+\) is not the expected one: expected SHA256:\S+, presented SHA256:\S+ \(ssh-ed25519\)\. Nothing was sent$/u,
        hint: /./u,
      };
      const asked = await assertFails(program, [...create.slice(0, -1), "--ssh-host-key", expected, "web"], failure, { env });
      assert.ok(asked.sentence.includes(expected));
      const other = await startFakeSsh();
      await other[Symbol.asyncDispose]();
      await knowHost(program, `[127.0.0.1]:${impostor.port} ${formatPublicKey(other.hostKey)}`);
      const known = await assertFails(program, create, failure, { env });
      assert.ok(known.sentence.includes(fingerprintOf(other.hostKey)));
      assert.deepEqual(await machineFolders(program.store), []);
      assert.deepEqual([impostor.logins.filter((method) => method !== "none"), impostor.commands], [[], []]);
    });
  }

  test("first contact says why a key is believed", async () => {
    await using lab = await openLab();
    await using host = await lab.start("bookworm-engine");
    await using program = await Program.open();
    const rsa = host.hostKeyFingerprints[host.hostKeys.findIndex((key) => key.startsWith("ssh-rsa"))] ?? "";
    const created = await program.ok(createArguments(host, "asked", "--ssh-host-key", rsa));
    assert.ok(created.includes(`Host key of asked is ${rsa}, the key that was asked for\n`), created);
    await knowHost(program, `${host.address} ${host.hostKeys.find((key) => key.startsWith("ecdsa"))}`);
    assert.match(
      await program.ok(createArguments(host, "known")),
      /^Host key of known is SHA256:\S+, known from your known_hosts$/mu,
    );
    assert.match(await program.ok(["ssh-host-key", "known"]), / ecdsa-sha2-nistp256$/mu);
  });
});

interface Scene extends AsyncDisposable {
  readonly password: string;
  /** Fingerprint of the machine's pinned key. */
  readonly pinned: string;
  /** From now on somebody else answers at the machine's SSH address. */
  putInBetween(impostor: FakeSshServer): void;
}

/** The machine `web` on a host that asks for a sudo password, with all its ways leading through this process. */
async function openScene(lab: Lab, program: Program): Promise<Scene> {
  const host = await lab.start("sudo-password");
  const machine = await createRelayedMachine(program, host);
  const [pinned = ""] = (await program.ok(["ssh-host-key", "web"])).split(" ");
  return {
    password: host.sudoPassword ?? "",
    pinned,
    putInBetween: ({ port }) => {
      machine.ssh.resetAll();
      Object.assign(machine.sshTarget, { address: "127.0.0.1", port });
    },
    async [Symbol.asyncDispose]() {
      await machine[Symbol.asyncDispose]();
      await host.stop();
    },
  };
}

/** Answers every script as a host does whose sudo asks for a password. */
function claimToNeedAPassword(channel: ServerChannel): void {
  channel.write("@begin\t\t\n@fact\tprivilege\tsudo-password\n@end\t\t\n");
  channel.on("end", () => {
    channel.exit(0);
    channel.end();
  });
}

/** New keys of every kind; gives the fingerprint of the ed25519 one. */
async function replaceHostKeys(host: LabHost): Promise<string> {
  const line = await host.sh(
    "rm /etc/ssh/ssh_host_*; ssh-keygen -A > /dev/null; systemctl restart ssh; ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
  );
  return line.split(" ")[1] ?? "";
}

/** An impostor as a host to create on. The lab is not needed for it. */
async function impostorAsHost(program: Program, impostor: FakeSshServer): Promise<LabHost> {
  const privateKeyPath = path.join(program.folder, "id");
  await writeFile(privateKeyPath, generateKeyPair("test").privateKey, { mode: 0o600 });
  return { address: "127.0.0.1", sshPort: impostor.port, sshUser: "root", privateKeyPath } as LabHost;
}

async function knowHost(program: Program, line: string): Promise<void> {
  const folder = path.join(program.folder, "home", ".ssh");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(path.join(folder, "known_hosts"), `${line}\n`);
}
