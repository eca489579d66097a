import assert from "node:assert/strict";
import { test } from "node:test";
import { isMachineError } from "../../errors/machine-error.ts";
import { readAddress } from "./address.ts";

for (const [typed, address] of [
  ["10.0.0.5", "10.0.0.5"],
  [" 10.0.0.5\n", "10.0.0.5"],
  ["[fd00::5]", "fd00::5"],
  ["fe80::1%eth0", "fe80::1%eth0"],
  ["web-1.example.com", "web-1.example.com"],
  ["web_1", "web_1"],
  ["", ""],
] as const) {
  test(`${JSON.stringify(typed)} is the address ${address}`, () => assert.equal(readAddress(typed), address));
}

for (const [typed, hint] of [
  ["root@10.0.0.5", "--generic-ip-address 10.0.0.5 --generic-ssh-user root"],
  ["tcp://10.0.0.5:2376", "--generic-ip-address 10.0.0.5 --generic-engine-port 2376"],
  ["ssh://pat@web:2222", "--generic-ip-address web --generic-ssh-user pat --generic-ssh-port 2222"],
  ["10.0.0.5:22", "--generic-ip-address 10.0.0.5 --generic-ssh-port 22"],
  ["[fd00::5]:22", "--generic-ip-address fd00::5 --generic-ssh-port 22"],
  ["10.0.0.5/24", "--generic-ip-address 10.0.0.5"],
] as const) {
  test(`${typed} is refused with what is meant`, () => {
    assert.throws(
      () => readAddress(typed),
      (error) => isMachineError(error, "driver-options") && error.hint === `Give the address alone: ${hint}`,
    );
  });
}

for (const typed of ["-oProxyCommand=x", "a b", "[web", "@", "::::1"]) {
  test(`${typed} is refused`, () => {
    assert.throws(
      () => readAddress(typed),
      (error) => isMachineError(error, "driver-options") && /^Give the machine's name or its IP address/u.test(error.hint ?? ""),
    );
  });
}
