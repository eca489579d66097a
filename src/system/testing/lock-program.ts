/**
 * Takes a lock, for the tests of the lock. `hold FILE` prints "held" and holds it until its input ends. `count FILE
 * COUNTER TIMES` adds one to a number in a file, with a read and a write that only the lock keeps together; every other
 * time it removes the lock file as it goes.
 */
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { lockFile } from "../file-lock.ts";

const [verb, file = "", counter = "", times = "0"] = process.argv.slice(2);
const options = { what: "the counter", purpose: "count", waitMs: verb === "hold" ? 0 : 60_000 };

async function addOne(round: number): Promise<void> {
  await using _lock = await lockFile(file, options, async () => round % 2 === 0);
  const value = Number(await readFile(counter, "utf8"));
  await writeFile(counter, String(value + 1));
}

async function hold(): Promise<void> {
  await using _lock = await lockFile(file, { ...options, purpose: "hold" });
  process.stdout.write("held\n");
  process.stdin.resume();
  await once(process.stdin, "end");
}

try {
  if (verb === "hold") await hold();
  else for (let round = 0; round < Number(times); round += 1) await addOne(round);
} catch (error) {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
}
