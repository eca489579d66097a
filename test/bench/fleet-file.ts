/** A fleet from a file: a plan of a thousand machines, and a look at a hundred hosts that take a second to answer. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { openCommandLine, type CommandLine } from "../cli/command-line.ts";
import { addSshMachine } from "../cli/ssh-machines.ts";
import { programUnderTest } from "../golden/replay.ts";
import { startSshd, whyNot } from "../ssh/real-servers.ts";
import { medianOf, timeOf, type Row } from "./measure.ts";

const planned = 1_000;
const looked = 100;
/** Of the sequence, as many as tell. */
const sampled = 3;
const targets = { planMs: 500, ofSequence: 0.1, memoryMiB: 200 };

export async function measureFleetFile(): Promise<readonly Row[] | string> {
  const rows = await measurePlan();
  const reason = whyNot("sshd");
  return reason === undefined ? [...rows, ...(await measureDrift())] : rows;
}

async function write(shell: CommandLine, machines: string, file = "machines.yml"): Promise<void> {
  await writeFile(path.join(shell.folder, "work", file), `version: 1\nfleet: shop\nmachines:\n${machines}\n`);
}

async function measurePlan(): Promise<Row[]> {
  await using shell = await openCommandLine();
  const entry = '{driver: none, url: "tcp://192.0.2.1:2376", labels: {role: web}}';
  await write(shell, `  web-1: ${entry}`);
  await shell.ok("apply --yes");
  const text = await shell.recordText("web-1");
  for (let index = 2; index <= planned; index += 1)
    await shell.addRecord(`web-${index}`, text.replaceAll("web-1", `web-${index}`));
  await write(shell, `  web-[1-${planned}]: ${entry}`);
  await write(shell, Array.from({ length: planned }, (_, index) => `  web-${index + 1}: ${entry}`).join("\n"), "long.yml");
  const said = await shell.ok("plan -f long.yml");
  if (!said.startsWith("Nothing to do")) throw new Error(said);
  const time = async (...words: string[]): Promise<number> => await medianOf(async () => void (await shell.run(words)));
  return [
    { what: `plan of ${planned} machines of one range`, value: await time("plan"), target: targets.planMs },
    { what: `plan of ${planned} machines, an entry each`, value: await time("plan", "-f", "long.yml"), target: targets.planMs },
    { what: "memory of that", value: await peakMiB(shell, ["plan", "-f", "long.yml"]), target: targets.memoryMiB, unit: "MiB" },
  ];
}

async function measureDrift(): Promise<Row[]> {
  const slow = `ForceCommand sh -c 'sleep 1; eval "$SSH_ORIGINAL_COMMAND"'`;
  const server = await startSshd({ config: ["MaxStartups 500", slow] });
  await using shell = await openCommandLine();
  try {
    const mark = { Name: "shop", Flags: { "generic-ip-address": server.hostName }, Labels: [] };
    for (let index = 1; index <= looked; index += 1)
      await addSshMachine(shell, server, { name: `web-${index}`, extra: { EngineTransport: "ssh", Fleet: mark } });
    const entry = `{driver: generic, generic-ip-address: "${server.hostName}"}`;
    await write(shell, `  web-[1-${looked}]: ${entry}`);
    for (let index = 1; index <= sampled; index += 1) await write(shell, `  web-${index}: ${entry}`, `${index}.yml`);
    // First contacts pin the keys, which a look for drift does not.
    await shell.run(["exec", "--all", "--", "true"]);
    const all = await timeOf(async () => await shell.run(["drift"]));
    let sequence = 0;
    for (let index = 1; index <= sampled; index += 1)
      sequence += await timeOf(async () => await shell.run(["drift", "-f", `${index}.yml`]));
    const inTurn = (sequence / sampled) * looked;
    return [
      { what: `drift of ${looked} hosts that take a second each`, value: all, target: inTurn * targets.ofSequence },
      { what: `the same one after the other (from ${sampled})`, value: inTurn },
      { what: "memory of the first", value: await peakMiB(shell, ["drift"]), target: targets.memoryMiB, unit: "MiB" },
    ];
  } finally {
    await server.stop();
  }
}

/** The most that a command had in memory, as far as a look each few milliseconds tells. */
async function peakMiB(shell: CommandLine, words: readonly string[]): Promise<number> {
  const [file = "", ...prefix] = programUnderTest();
  const env = { PATH: process.env["PATH"], HOME: path.join(shell.folder, "home"), MACHINE_STORAGE_PATH: shell.store };
  const child = spawn(file, [...prefix, ...words], { cwd: path.join(shell.folder, "work"), env, stdio: "ignore" });
  const ended = once(child, "close");
  let peak = 0;
  const timer = setInterval(() => {
    void readFile(`/proc/${child.pid}/status`, "utf8").then(
      (status) => (peak = Math.max(peak, Number(/^VmHWM:\s+(\d+) kB/mu.exec(status)?.[1] ?? 0))),
      () => {},
    );
  }, 5);
  await ended;
  clearInterval(timer);
  return peak / 1024;
}
