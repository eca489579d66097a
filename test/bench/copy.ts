/** `scp` of 200 MB there and back by both back ends, beside OpenSSH's own with the same server. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import * as path from "node:path";
import { promisify } from "node:util";
import { openCommandLine } from "../cli/command-line.ts";
import { addSshMachine } from "../cli/ssh-machines.ts";
import { programs } from "../e2e/program.ts";
import { startSshd, whyNot } from "../ssh/real-servers.ts";
import { median, timeOf, type Row } from "./measure.ts";

const bytes = 200_000_000;
const rounds = 5;
/** Of OpenSSH's throughput, so that much at least. */
const wanted = 0.95;

export async function measureCopy(): Promise<readonly Row[] | string> {
  const reason = whyNot("sshd");
  if (reason !== undefined) return reason;
  process.env["DOCKER_MACHINE_PROGRAM"] ??= programs.executable.join(" ");
  const server = await startSshd();
  await using shell = await openCommandLine();
  try {
    await addSshMachine(shell, server, { name: "web" });
    const file = path.join(shell.folder, "file");
    await writeFile(file, randomBytes(bytes));
    const there = `${server.folder}/there`;
    const knownHosts = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"];
    const plain = ["-q", "-F", "none", "-P", `${server.port}`, "-i", server.identityFile, ...knownHosts];
    const place = `${server.userName}@${server.hostName}:${there}`;
    const ours = async (args: readonly string[]): Promise<void> => {
      const { code, stderr } = await shell.run(args);
      if (code !== 0) throw new Error(stderr);
    };
    const scp = async (from: string, to: string): Promise<unknown> => await promisify(execFile)("scp", [...plain, from, to]);
    const ways = {
      "OpenSSH there": async () => await scp(file, place),
      "OpenSSH back": async () => await scp(place, `${file}.back`),
      "openssh there": async () => await ours(["scp", "-q", file, `web:${there}`]),
      "openssh back": async () => await ours(["scp", "-q", `web:${there}`, `${file}.back`]),
      "native there": async () => await ours(["--native-ssh", "scp", "-q", file, `web:${there}`]),
      "native back": async () => await ours(["--native-ssh", "scp", "-q", `web:${there}`, `${file}.back`]),
    };
    const times = new Map<string, number[]>();
    for (let round = 0; round < rounds; round += 1)
      for (const [name, work] of Object.entries(ways)) times.set(name, [...(times.get(name) ?? []), await timeOf(work)]);
    return Object.keys(ways).map((name) => rowOf(name, times));
  } finally {
    await server.stop();
  }
}

/** A time at most so many times OpenSSH's. */
function rowOf(name: string, times: ReadonlyMap<string, readonly number[]>): Row {
  const [backend, direction] = name.split(" ");
  const ms = median(times.get(name) ?? []);
  const theirs = median(times.get(`OpenSSH ${direction}`) ?? []);
  if (backend === "OpenSSH") return { what: `OpenSSH's scp, ${direction}`, value: ms };
  return {
    what: `${backend}, ${direction}, to OpenSSH's`,
    value: ms / theirs,
    unit: "x",
    target: 1 / wanted,
    note: `${ms.toFixed(0)} ms`,
  };
}
