/** A network of a test, and the servers on it, end with the test that is killed. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { endProcess } from "../support/end-process.ts";
import { networkMissing } from "./network.ts";

/** Tells the address of its network on this computer, and the process of a server at a seat. */
const program = `
  import { spawn } from "node:child_process";
  import { Network } from "${import.meta.dirname}/network.ts";
  import { endingWithUs } from "${import.meta.dirname}/../support/ending-with-us.ts";
  const network = await Network.start(2);
  const [first, ...words] = [...network.at(1), "sleep", "600"];
  const server = spawn(...endingWithUs(first, words), { stdio: "ignore" });
  console.log(JSON.stringify({ prefix: network.address("alice", 0).replace(/[0-9]+$/u, ""), pid: server.pid }));
`;

test("a network ends with the test that made it, also where that is killed", { skip: networkMissing() }, async () => {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], { stdio: ["ignore", "pipe", "inherit"] });
  const [told] = (await once(child.stdout, "data")) as [Buffer];
  const { prefix, pid } = JSON.parse(told.toString()) as { readonly prefix: string; readonly pid: number };
  const isThere = (): boolean => JSON.stringify(networkInterfaces()).includes(prefix);
  assert.ok(isThere() && existsSync(`/proc/${pid}`));
  await endProcess(child);
  for (let tries = 0; (isThere() || existsSync(`/proc/${pid}`)) && tries < 100; tries += 1) await delay(50);
  assert.deepEqual([isThere(), existsSync(`/proc/${pid}`)], [false, false]);
});
