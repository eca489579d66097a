/** Many machines: what one command on fifty costs, against one after the other; what `with` adds; what a doctor costs. All on one sshd. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import * as path from "node:path";
import { openSshExecutor } from "../../src/ssh/connect.ts";
import { healthScript } from "../../src/provision/facts/health-script.ts";
import { probeScript } from "../../src/provision/facts/probe-script.ts";
import { framedScript } from "../../src/provision/shell/script-protocol.ts";
import { openCommandLine, type CommandLine } from "../cli/command-line.ts";
import { addSshMachine } from "../cli/ssh-machines.ts";
import { startSshd, whyNot } from "../ssh/real-servers.ts";
import { sshTestContext, targetOn } from "../ssh/ssh-test-context.ts";
import { medianOf, timeOf, type Row } from "./measure.ts";

const machines = 50;
/** Of the sequence, as many as tell. */
const sampled = 5;

export async function measureFleet(): Promise<readonly Row[] | string> {
  const reason = whyNot("sshd");
  if (reason !== undefined) return reason;
  const server = await startSshd({ config: ["MaxStartups 500"] });
  const shell = await openCommandLine();
  try {
    for (let index = 1; index <= machines; index += 1)
      await addSshMachine(shell, server, { name: `web-${index}`, extra: { EngineTransport: "ssh" } });
    await using ssh = await openSshExecutor("openssh", targetOn(server), sshTestContext());
    const host = path.resolve("test/cli/docker-host-program.ts");
    await ssh.run(
      `setsid ${process.execPath} ${host} /var/run/docker.sock > /run/fake 2>&1 & until grep -q listening /run/fake; do :; done`,
    );
    // First contacts pin the keys.
    await shell.run(["exec", "--all", "--", "true"]);
    return [...(await measureExec(shell)), ...(await measureWith(shell)), ...(await measureDoctor(shell))];
  } finally {
    await server.stop();
    await shell[Symbol.asyncDispose]();
  }
}

async function measureExec(shell: CommandLine): Promise<Row[]> {
  const rows: Row[] = [];
  for (const command of ["sleep 1", "true"]) {
    const onAll = await timed(shell, ["exec", "--all", "--", command]);
    let sequence = 0;
    for (let index = 1; index <= sampled; index += 1) sequence += await timed(shell, ["ssh", `web-${index}`, command]);
    rows.push(
      { what: `exec '${command}' on ${machines} machines`, value: onAll },
      { what: `the same one after the other (from ${sampled})`, value: (sequence / sampled) * machines },
    );
  }
  return rows;
}

async function measureWith(shell: CommandLine): Promise<Row[]> {
  const alone = await medianOf(async () => await once(spawn("true"), "close"));
  const through = await medianOf(async () => await shell.run(["with", "web-1", "true"]));
  return [
    { what: "with NAME true, over SSH", value: through },
    { what: "true alone", value: alone },
  ];
}

/** Against its own look at the machines by `exec`. */
async function measureDoctor(shell: CommandLine): Promise<Row[]> {
  const script = framedScript(probeScript({ port: undefined, queryMs: 20_000 }, healthScript({ registry: false })));
  const file = path.join(shell.folder, "probe");
  await writeFile(file, script);
  const look = [
    "exec",
    "--all",
    "--parallel",
    "16",
    "--stdin",
    file,
    "--",
    `s=$(sed "1,/^#begin/d"); case $s in *"#end") eval "$s" ;; esac`,
  ];
  return [
    { what: `doctor of ${machines} machines`, value: await timed(shell, ["doctor", "--all"]) },
    { what: `exec of its script on them`, value: await timed(shell, look) },
  ];
}

async function timed(shell: CommandLine, words: readonly string[]): Promise<number> {
  return await timeOf(async () => await shell.run(words));
}
