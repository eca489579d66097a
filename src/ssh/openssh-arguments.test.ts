import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import type { SshTarget } from "./executor.ts";
import {
  copyLocation,
  opensshArguments,
  opensshDestination,
  opensshOptions,
  quotePath,
  sshfsArguments,
} from "./openssh-arguments.ts";

const noClient = spawnSync("ssh", ["-V"]).error === undefined ? false : "the OpenSSH client is not installed";

function target(changes: Partial<SshTarget> = {}): SshTarget {
  return {
    hostName: "192.0.2.7",
    port: 2222,
    userName: "admin",
    identityFile: "/store/machines/web/id_ed25519",
    connectTimeoutMs: 10_000,
    hostKeys: { knownHostsFile: "/store/machines/web/known_hosts", alias: "web", unknown: "refuse" },
    ...changes,
  };
}

/** What ssh itself makes of arguments. */
function understood(args: readonly string[]): Map<string, string> {
  const { status, stdout, stderr } = spawnSync("ssh", ["-G", ...args], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return new Map(stdout.split("\n").map((line) => [line.split(" ")[0] ?? "", line.split(" ").slice(1).join(" ")]));
}

test("ssh understands the arguments as they are meant", { skip: noClient }, () => {
  const values = understood([...opensshArguments(target()), "--", opensshDestination(target())]);
  const expected = {
    hostname: "192.0.2.7",
    port: "2222",
    user: "admin",
    identityfile: "/store/machines/web/id_ed25519",
    identitiesonly: "yes",
    stricthostkeychecking: "true",
    userknownhostsfile: "/store/machines/web/known_hosts",
    globalknownhostsfile: "/dev/null",
    hostkeyalias: "web",
    batchmode: "yes",
    connecttimeout: "10",
    passwordauthentication: "no",
    updatehostkeys: "false",
    serveraliveinterval: "15",
  };
  assert.deepEqual(Object.fromEntries(Object.keys(expected).map((key) => [key, values.get(key)])), expected);
});

test("the user's configuration counts for entries of it only", () => {
  assert.deepEqual(opensshArguments(target()).slice(0, 2), ["-F", "none"]);
  assert.ok(!opensshArguments(target({ configHost: "box" })).includes("-F"));
  assert.deepEqual(opensshArguments(target({ configHost: "box" }), "/my/config").slice(0, 2), ["-F", "/my/config"]);
});

test("what is unset is left to the entry of ssh_config", () => {
  const options = opensshOptions(target({ configHost: "box", hostName: "", port: 0, userName: "", identityFile: undefined }));
  for (const name of ["HostName", "Port", "User", "IdentityFile", "IdentitiesOnly"]) assert.ok(!(name in options), name);
});

test("locations for scp and sshfs, IPv6 in brackets", () => {
  assert.equal(copyLocation(target(), "/tmp/a b"), "admin@192.0.2.7:/tmp/a b");
  assert.equal(copyLocation(target({ hostName: "2001:db8::7", userName: "" }), ""), "[2001:db8::7]:");
});

test("sshfs gets the port by its own flag and commas escaped", () => {
  const args = sshfsArguments(target({ identityFile: "/a,b" }), "/srv", "/mnt");
  assert.deepEqual(args.slice(-4), ["-p", "2222", "admin@192.0.2.7:/srv", "/mnt"]);
  assert.ok(args.includes("IdentityFile=/a\\,b"));
  assert.ok(!args.some((arg) => /^(?:Port|User|HostName)=/u.test(arg)));
});

test("paths are quoted where ssh_config would misread them", () => {
  assert.equal(quotePath("/a/b"), "/a/b");
  assert.equal(quotePath("/a b/%h"), '"/a b/%%h"');
  assert.equal(quotePath('/a"b'), '"/a\\"b"');
});
