import assert from "node:assert/strict";
import { test } from "node:test";
import type { SshTarget } from "./executor.ts";
import { diagnose, endedWithoutStatus, failedBeforeLogin, lastWords, statusArrived } from "./openssh-diagnosis.ts";

const target: SshTarget = {
  hostName: "192.0.2.7",
  port: 22,
  userName: "root",
  identityFile: "/keys/id",
  connectTimeoutMs: 10_000,
  hostKeys: { knownHostsFile: "/nowhere/known_hosts", alias: "web", unknown: "refuse" },
};

/** Lines as OpenSSH 7.4 to 10 write them, and the sentence they become. */
const failures: readonly (readonly [string, RegExp])[] = [
  ["ssh: connect to host 192.0.2.7 port 22: Connection refused", /^Nothing listens for SSH at 192\.0\.2\.7:22/u],
  ["ssh: connect to host 192.0.2.7 port 22: Connection timed out", /^No answer from 192\.0\.2\.7:22 within 10 s/u],
  ["ssh: connect to host 192.0.2.7 port 22: Operation timed out", /^No answer from/u],
  ["ssh: connect to host 192.0.2.7 port 22: No route to host", /^There is no route to/u],
  ["ssh: connect to host 2001:db8::7 port 22: Network is unreachable", /^There is no route to/u],
  ["ssh: Could not resolve hostname web: Name or service not known", /cannot be resolved/u],
  [
    "debug1: Connection established.\nConnection timed out during banner exchange\nConnection to 192.0.2.7 port 22 timed out",
    /sent no SSH greeting/u,
  ],
  ["kex_exchange_identification: banner line contains invalid characters", /does not speak SSH/u],
  [
    "kex_exchange_identification: Connection closed by remote host\nConnection closed by 192.0.2.7 port 22",
    /closed the connection before the login/u,
  ],
  ["kex_exchange_identification: read: Connection reset by peer", /closed the connection before the login/u],
  ["Unable to negotiate with 192.0.2.7 port 22: no matching host key type found. Their offer: ssh-rsa", /offers no algorithm/u],
  [
    "command-line: line 0: Bad configuration option: nonsense",
    /^SSH could not connect to 192\.0\.2\.7:22: command-line: line 0: Bad configuration option: nonsense$/u,
  ],
];

for (const [log, sentence] of failures) {
  test(`ssh says: ${log.split("\n").at(-1)}`, async () => {
    const error = await diagnose(target, log, true, false);
    assert.equal(error.code, "ssh-unreachable");
    assert.match(error.message, sentence);
  });
}

test("when our own bound ended ssh, its log tells how far it had come", async () => {
  const stages = [
    ["debug1: Connecting to 192.0.2.7 port 22.", /^No answer from/u],
    ["debug1: Connection established.", /sent no SSH greeting/u],
    [
      "debug1: Connection established.\ndebug1: Remote protocol version 2.0, remote software version x",
      /did not complete within 10 s/u,
    ],
  ] as const;
  for (const [log, sentence] of stages) assert.match((await diagnose(target, log, false, false)).message, sentence);
});

const refusal = [
  "debug1: Authentications that can continue: publickey,password",
  "debug1: Offering public key: /keys/my id ED25519 SHA256:abc explicit",
  "debug1: Offering public key: other RSA SHA256:def agent",
  "debug1: Offering public key: other RSA SHA256:def agent",
  "root@192.0.2.7: Permission denied (publickey,password).",
].join("\n");

test("a refused login lists each key once", async () => {
  const error = await diagnose(target, refusal, true, false);
  assert.equal(error.code, "ssh-authentication");
  assert.equal(error.message, 'User "root" was refused by 192.0.2.7:22: tried /keys/my id (SHA256:abc), other (SHA256:def)');
});

test("a refused login with a locked key is about the passphrase", async () => {
  const unheld = refusal.replaceAll(/^.* agent$\n/gmu, "");
  assert.equal((await diagnose(target, unheld, true, true)).code, "ssh-key-unusable");
  // One that the agent holds and the host refuses needs no passphrase.
  assert.equal((await diagnose(target, refusal, true, true)).code, "ssh-authentication");
});

test("a changed host key is named by what the last host presented", async () => {
  const log =
    "debug1: Server host key: ssh-rsa SHA256:jump\ndebug1: Server host key: ssh-ed25519 SHA256:box\nHost key verification failed.";
  const error = await diagnose(target, log, true, false);
  assert.equal(error.code, "host-key-mismatch");
  assert.match(error.message, /presented SHA256:box \(ssh-ed25519\)/u);
});

test("a status of 255 is the command's own only where a log shows it", () => {
  assert.equal(statusArrived("debug2: Received exit status from master 255"), true);
  assert.equal(statusArrived("debug1: Exit status 255"), true);
  assert.equal(statusArrived("debug1: Exit status -1"), false);
  assert.equal(statusArrived("debug2: Control master terminated unexpectedly"), false);
});

test("a session without status is told apart from one that a signal ended", () => {
  const client = "debug1: mux_client_request_session: master session id: 2";
  assert.equal(endedWithoutStatus(client, "debug1: client_input_channel_req: channel 2 rtype exit-signal reply 0"), false);
  assert.equal(endedWithoutStatus(client, "debug1: client_input_channel_req: channel 3 rtype exit-signal reply 0"), true);
  assert.equal(endedWithoutStatus("", ""), false);
});

test("a connection that was up did not fail before the login", () => {
  const lost = "client_loop: send disconnect: Broken pipe";
  assert.equal(
    failedBeforeLogin(`Authenticated to 192.0.2.7 ([192.0.2.7]:22) using "publickey".\nssh: connect to host x`),
    false,
  );
  assert.equal(failedBeforeLogin(lost), false);
  assert.equal(failedBeforeLogin("ssh: connect to host 192.0.2.7 port 22: Connection refused"), true);
});

test("last words are for people", () => {
  assert.equal(lastWords("debug1: x\n@@@@@@@@\nIt broke.\ndebug2: y\n"), "It broke.");
  assert.equal(lastWords("debug1: x"), undefined);
});
