/** Many machines: what one command on fifty costs, against one after the other; what `with` adds; what a doctor costs. All on one sshd. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import * as path from "node:path";
import { openSshExecutor } from "../../src/ssh/connect.ts";
import { quoteCommand } from "../../src/ssh/shell-quote.ts";
import { healthScript } from "../../src/provision/facts/health-script.ts";
import { probeScript } from "../../src/provision/facts/probe-script.ts";
import { framedScript } from "../../src/provision/shell/script-protocol.ts";
import { openCommandLine, type CommandLine } from "../cli/command-line.ts";
import { addSshMachine } from "../cli/ssh-machines.ts";
import { programs } from "../e2e/program.ts";
import { programUnderTest } from "../golden/replay.ts";
import { startSshd, whyNot } from "../ssh/real-servers.ts";
import { sshTestContext, targetOn } from "../ssh/ssh-test-context.ts";
import { median, medianOf, timeOf, type Row } from "./measure.ts";

const machines = 50;
/** Of the sequence, as many as tell. */
const sampled = 5;
const connections = 100;
const rounds = 3;

export async function measureFleet(): Promise<readonly Row[] | string> {
  const reason = whyNot("sshd");
  if (reason !== undefined) return reason;
  process.env["DOCKER_MACHINE_PROGRAM"] ??= programs.executable.join(" ");
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
    return [
      ...(await measureWith(shell)),
      ...(await measureFirstRow(shell)),
      ...(await measureExec(shell)),
      ...(await measureDoctor(shell)),
    ];
  } finally {
    await server.stop();
    await shell[Symbol.asyncDispose]();
  }
}

async function measureExec(shell: CommandLine): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [command, target] of [
    ["sleep 1", 0.1],
    ["true", 0.6],
  ] as const) {
    const onAll = await timed(shell, ["exec", "--all", "--", command]);
    const each: number[] = [];
    for (let index = 1; index <= sampled; index += 1) each.push(await timed(shell, ["ssh", `web-${index}`, command]));
    const sequence = median(each) * machines;
    rows.push({
      what: `exec '${command}' on ${machines} machines, to the same one after the other`,
      value: onAll / sequence,
      unit: "x",
      target,
      note: `${seconds(onAll)} to ${seconds(sequence)} (the median of ${sampled}, ${machines} times)`,
    });
  }
  return rows;
}

async function measureWith(shell: CommandLine): Promise<Row[]> {
  const alone = await medianOf(async () => await once(spawn("true"), "close"));
  const through = await medianOf(async () => await shell.run(["with", "web-1", "true"]));
  const login = await medianOf(async () => await shell.run(["ssh", "web-1", "true"]));
  const ask = `
const { request } = require("node:http");
const socketPath = process.env.DOCKER_HOST.slice("unix://".length);
const ask = () => new Promise((resolve, reject) => request({ socketPath, path: "/_ping", agent: false }, (answer) =>
  answer.resume().on("end", resolve)).on("error", reject).end());
Promise.all(Array.from({ length: ${connections} }, ask)).catch(() => process.exit(1));`;
  const statuses: (number | null)[] = [];
  const many = await medianOf(
    async () => void statuses.push((await shell.run(["with", "web-1", "--", process.execPath, "-e", ask])).code),
  );
  return [
    {
      what: "what with adds to a command, over SSH",
      value: through - alone,
      target: 300,
      note: `${through.toFixed(0)} to ${alone.toFixed(0)} ms; ssh web-1 true takes ${login.toFixed(0)}`,
    },
    {
      what: `with: a program of Node's that opens ${connections} connections at once`,
      value: many,
      note: statuses.every((status) => status === 0) ? "all answered, every time" : "SOME WERE NOT ANSWERED",
    },
  ];
}

/** Against its own look at the machines by `exec`. */
async function measureDoctor(shell: CommandLine): Promise<Row[]> {
  const script = framedScript(probeScript({ port: undefined, queryMs: 20_000 }, healthScript({ registry: false })));
  const file = path.join(shell.folder, "probe");
  await writeFile(file, script);
  const evaluated = `s=$(sed "1,/^#begin/d"); case $s in *"#end") eval "$s" ;; esac`;
  const look = ["exec", "--all", "--parallel", "16", "--stdin", file, "--", evaluated];
  const [doctor, exec]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    exec.push(await timed(shell, look));
    doctor.push(await timed(shell, ["doctor", "--all"]));
  }
  return [
    {
      what: `doctor of ${machines} machines, to exec of its script on them`,
      value: median(doctor) / median(exec),
      unit: "x",
      target: 1.3,
      note: `${seconds(median(doctor))} to ${seconds(median(exec))}`,
    },
  ];
}

/** On a terminal, beside an engine that says nothing. */
async function measureFirstRow(shell: CommandLine): Promise<Row[]> {
  const silent = createServer((socket) => void socket.on("error", () => {}));
  await once(silent.listen(0, "127.0.0.1"), "listening");
  const { port } = silent.address() as AddressInfo;
  await shell.ok(`create -d none --url tcp://127.0.0.1:${port} mute`);
  const value = await medianOf(async () => {
    const command = `stty cols 120 rows 60; exec ${quoteCommand([...programUnderTest(), "ls"])}`;
    const child = spawn("script", ["-qec", command, "/dev/null"], {
      env: { ...process.env, TERM: "xterm", MACHINE_STORAGE_PATH: shell.store },
      stdio: ["ignore", "pipe", "inherit"],
      detached: true,
    });
    let shown = "";
    for await (const chunk of child.stdout) if ((shown += String(chunk)).includes("web-1 ")) break;
    process.kill(-(child.pid ?? 0), "SIGKILL");
  });
  silent.close();
  silent.unref();
  return [{ what: `the first row of ls, of ${machines + 1} machines of which one is silent`, value, target: 200 }];
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

async function timed(shell: CommandLine, words: readonly string[]): Promise<number> {
  return await timeOf(async () => await shell.run(words));
}
