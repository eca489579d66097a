/**
 * A fleet from a file: a plan of a thousand machines, and a look at a hundred hosts that take a second to answer. The hosts are
 * one sshd, whose processor is ours: a probe that ran there a hundred times would be all that is measured. So the first one is
 * run, and what it answered is the answer of all, after its second.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import * as path from "node:path";
import { programs } from "../e2e/program.ts";
import { openCommandLine, type CommandLine } from "../cli/command-line.ts";
import { addSshMachine } from "../cli/ssh-machines.ts";
import { programUnderTest } from "../golden/replay.ts";
import { startSshd, whyNot } from "../ssh/real-servers.ts";
import { medianOf, timeOf, type Row } from "./measure.ts";

const planned = 1_000;
const looked = 100;
/** Of each, as many. */
const sampled = 3;
const targets = { planMs: 500, ofSequence: 0.1, memoryMiB: 200 };

export async function measureFleetFile(): Promise<readonly Row[] | string> {
  process.env["DOCKER_MACHINE_PROGRAM"] ??= programs.executable.join(" ");
  const rows = await measurePlan();
  const reason = whyNot("sshd");
  return reason === undefined ? [...rows, ...(await measureDrift())] : rows;
}

async function write(shell: CommandLine, machines: string, file = "machines.yml", fleet = "shop"): Promise<void> {
  await writeFile(path.join(shell.folder, "work", file), `version: 1\nfleet: ${fleet}\nmachines:\n${machines}\n`);
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

/** A host's shell: what it was asked before, it answers after a second; the rest it does. @param answers folder of what was answered */
function slowShell(answers: string): string {
  return `#!/bin/sh
asked=$(mktemp ${answers}/asked.XXXXXX)
cat > "$asked"
known=${answers}/$({ echo "$SSH_ORIGINAL_COMMAND"; cat "$asked"; } | cksum | tr ' ' -)
[ -e "$known" ] || { sh -c "$SSH_ORIGINAL_COMMAND" < "$asked" > "$asked.said" && mv "$asked.said" "$known"; }
rm -f "$asked"
sleep 1
cat "$known"
`;
}

async function measureDrift(): Promise<Row[]> {
  const answers = await mkdtemp(path.join(tmpdir(), "slow-hosts-"));
  const command = path.join(answers, "shell");
  await writeFile(command, slowShell(answers), { mode: 0o755 });
  const server = await startSshd({ config: ["MaxStartups 500", `ForceCommand ${command}`] });
  await using shell = await openCommandLine();
  try {
    const add = async (name: string, fleet: string): Promise<void> => {
      const mark = { Name: fleet, Flags: { "generic-ip-address": server.hostName }, Labels: [] };
      await addSshMachine(shell, server, { name, extra: { EngineTransport: "ssh", Fleet: mark } });
    };
    for (let index = 1; index <= looked; index += 1) await add(`web-${index}`, "shop");
    await add("alone", "one");
    const entry = `{driver: generic, generic-ip-address: "${server.hostName}"}`;
    await write(shell, `  web-[1-${looked}]: ${entry}`);
    await write(shell, `  alone: ${entry}`, "one.yml", "one");
    // First contacts pin the keys, which a look for drift does not.
    await shell.ok("exec --all -- true");
    const probe = await timeOf(async () => requireLooked(1, await shell.run(["drift", "-f", "one.yml"])));
    // In turns, and of each the least: others work on this computer, too.
    const times = { all: [] as number[], one: [] as number[] };
    for (let index = 1; index <= sampled; index += 1) {
      times.one.push(await timeOf(async () => await shell.run(["drift", "-f", "one.yml"])));
      times.all.push(await timeOf(async () => requireLooked(looked, await shell.run(["drift"]))));
    }
    const [all, inTurn] = [Math.min(...times.all), Math.min(...times.one) * looked];
    const load = `load ${loadavg()[0]?.toFixed(1)}`;
    return [
      { what: `drift of ${looked} hosts that take a second each`, value: all, note: load },
      { what: `the same one after the other (${looked} times one)`, value: inTurn },
      { what: "the first to the second", value: all / inTurn, target: targets.ofSequence, unit: "x" },
      { what: "memory of the first", value: await peakMiB(shell, ["drift"]), target: targets.memoryMiB, unit: "MiB" },
      { what: "one whose probe is run on this computer", value: probe },
    ];
  } finally {
    await server.stop();
    await rm(answers, { recursive: true });
  }
}

/** A host that was not looked at costs nothing. */
function requireLooked(count: number, { stdout }: { readonly stdout: string }): void {
  if (!new RegExp(`\\n${count} of ${count} machines? differ`, "u").test(stdout)) throw new Error(stdout);
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
