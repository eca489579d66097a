/** Hosts of a cloud that chooses their addresses itself, and gives them further ones. */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { generateKeyPair } from "../../src/ssh/keys.ts";
import { dial } from "../support/dial.ts";
import { CloudHosts, type CloudMachine } from "./cloud-hosts.ts";
import { labUnavailableReason, openLab } from "./lab.ts";

const unavailable = (await labUnavailableReason()) ?? false;

test("a host has the address that its cloud chooses, and those lent to it", { skip: unavailable }, async () => {
  await using lab = await openLab();
  const hosts = new CloudHosts(lab);
  const third = randomInt(6, 8);
  const start = randomInt(1, 200);
  const [first = "", second = "", lent = ""] = [0, 1, 2].map((more) =>
    lab.gateway.replace(/\.\d+\.\d+$/u, `.${third}.${start + more}`),
  );
  const { privateKey, publicKey } = generateKeyPair("host");
  const config = { ssh_keys: { ed25519_private: privateKey, ed25519_public: publicKey }, users: [] };
  const machine: CloudMachine = { id: "one", isOn: true, userData: `#cloud-config\n${JSON.stringify(config)}`, reboots: 0 };
  const be = async (changes: Partial<CloudMachine>): Promise<ReadonlyMap<string, string>> =>
    await hosts.settle([{ ...machine, ...changes }]);
  assert.deepEqual([...(await be({ address: first }))], [["one", first]]);
  await hosts.lend(lent, first);
  assert.equal(await dial(lent, 22), "open");
  await be({ isOn: false });
  assert.notEqual(await dial(lent, 22), "open");
  await hosts.lend(lent, second);
  assert.deepEqual([...(await be({ address: second }))], [["one", second]]);
  assert.equal(await dial(lent, 22), "open");
  await hosts.lend(lent, undefined);
  for (const left of [lent, first]) assert.notEqual(await dial(left, 22), "open", left);
  assert.equal(await dial(second, 22), "open");
  await hosts.settle([]);
  assert.equal(hosts.size, 0);
});
