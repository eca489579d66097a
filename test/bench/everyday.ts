/**
 * What people wait for many times a day, as ratios within one run: beside 0.16.2 where `docker-machine-go` is on PATH, beside
 * a bare compiled program, and beside a bare client that asks the same engines.
 */
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { promisify } from "node:util";
import { engineFor } from "../cli/engine-fixture.ts";
import { Program, programs } from "../e2e/program.ts";
import { original, originalMissing } from "../support/original.ts";
import { median, timeOf, type Row } from "./measure.ts";

const times = 21;
const manyTimes = 7;

interface Contender {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

export async function measureEveryday(): Promise<readonly Row[]> {
  await using program = await Program.open("executable");
  await program.ok(["create", "-d", "none", "--url", "tcp://127.0.0.1:1", "seed"]);
  await using engine = await engineFor(program);
  await program.ok(["create", "-d", "none", "--url", engine.url, "web"]);
  const bare = await bareProgram(program.folder, "start", "");
  const [own] = program.commandLine;
  const rows: Row[] = [];
  const env = { ...program.environment(), DOCKER_HOST: "" };

  async function beside(what: string, args: readonly string[], others: readonly Contender[], extra: Extra = {}): Promise<void> {
    const all = [{ name: "ours", command: [own, ...args] as const }, ...others];
    rows.push(...(await compare(what, all, { ...env, ...extra.env }, extra.times ?? times, extra.target)));
  }
  const same = (args: readonly string[]): Contender[] =>
    original === "" ? [] : [{ name: "0.16.2", command: [original, ...args] }];
  const start = [...same(["version"]), { name: "bare start", command: [bare] as const }];

  await beside("version", ["version"], start, { target: 1 });
  await beside("active, no DOCKER_HOST", ["active"], start, { target: 1 });
  await beside("completion of a command", ["__complete", "--", "ins"], start, { target: 1 });
  for (const args of [
    ["inspect", "web"],
    ["ip", "web"],
    ["url", "web"],
    ["env", "web"],
    ["config", "web"],
    ["ls"],
    ["status", "web"],
  ])
    await beside(`${args.join(" ")}, 1 live machine`, args, same(args), { target: 1 });
  await beside("active, 1 live machine", ["active"], same(["active"]), { target: 1, env: { DOCKER_HOST: engine.url } });

  const record = await readFile(path.join(program.store, "machines/web/config.json"), "utf8");
  const live = await storeOf(program, "live", 100, record, engine.url);
  const client = await bareProgram(program.folder, "client", clientSource(live, engine.url, 100));
  await beside(
    "ls of 100 live engines",
    ["-s", live, "ls"],
    [{ name: "bare client", command: [client] }, ...same(["-s", live, "ls"])],
    {
      target: 1.15,
      times: manyTimes,
    },
  );
  for (const [what, command] of [
    ["ls of 100 live engines: our processor time for each", [own, "-s", live, "ls"]],
    ["the bare client's, for each", [client]],
  ] as const)
    rows.push({ what, value: (await usageOf(command, env)).cpuMs / 100, target: command.length > 1 ? 1.2 : undefined });
  const many = await storeOf(program, "many", 450, record, "tcp://127.0.0.1:1");
  const last = record.replaceAll(engine.url, "tcp://127.0.0.2:2");
  await writeFile(path.join(many, "machines/m449/config.json"), last.replaceAll('"web"', '"m449"'));
  for (const [args, targetMs] of [
    [["active"], 30],
    [["ls", "-f", "{{.Name}}"], 100],
    [["ls", "--filter", "name=^m1$"], 100],
  ] as const)
    rows.push(
      await alone(
        `${args.join(" ")}, 450 machines`,
        [own, "-s", many, ...args],
        { ...env, DOCKER_HOST: "tcp://127.0.0.2:2" },
        targetMs,
      ),
    );
  const huge = await storeOf(program, "huge", 10_000, record, "tcp://127.0.0.1:1");
  for (const [args, targetMs] of [
    [["-s", huge, "ls", "-q"], 200],
    [["-s", huge, "ip", "m7"], 20],
    [["__complete", "--", "-s", huge, "ip", "m99"], 100],
  ] as const)
    rows.push(
      await alone(
        `${args.filter((word) => word !== huge && word !== "-s").join(" ")}, 10,000 records`,
        [own, ...args],
        env,
        targetMs,
      ),
    );
  for (const [args, mib] of [
    [["env", "web"], 40],
    [["ls", "-q"], 50],
  ] as const)
    rows.push({
      what: `memory of ${args.join(" ")}`,
      value: (await usageOf([own, ...args], env)).peakMiB,
      unit: "MiB",
      target: mib,
    });
  rows.push(...(await measureOnNode(env, live)));
  return rows;
}

/** The npm package: beside Node alone, and beside 0.16.2. */
async function measureOnNode(env: NodeJS.ProcessEnv, live: string): Promise<Row[]> {
  const bare: Contender = { name: "node alone", command: [process.execPath, "-e", "0"] };
  const ls = ["-s", live, "ls"];
  const go: readonly Contender[] = original === "" ? [] : [{ name: "0.16.2", command: [original, ...ls] }];
  const ours = (args: readonly string[]): Contender => ({ name: "ours", command: [...programs.node, ...args] });
  return [
    ...(await compare("version on Node", [ours(["version"]), bare], env, times, undefined)),
    ...(await compare("env web on Node", [ours(["env", "web"]), bare], env, times, 2)),
    ...(await compare("ls of 100 live engines on Node", [ours(ls), ...go], env, manyTimes, 1)),
  ];
}

interface Extra {
  readonly env?: Readonly<Record<string, string>>;
  readonly times?: number;
  /** The ratio to the first other that should not be passed. */
  readonly target?: number;
}

/** Each in turn, round after round, so that what else the computer does falls on all of them. */
async function compare(
  what: string,
  contenders: readonly Contender[],
  env: NodeJS.ProcessEnv,
  rounds: number,
  target: number | undefined,
): Promise<Row[]> {
  const timings = contenders.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1)
    for (const [index, { command }] of contenders.entries()) timings[index]?.push(await run(command, env));
  const [ours = [], ...others] = timings;
  if (others.length === 0) return [{ what, value: median(ours), note: `${spread(ours)}; ${originalMissing}` }];
  return others.map((theirs, index) => ({
    what: `${what}: ours to ${contenders[index + 1]?.name ?? ""}`,
    value: median(ours) / median(theirs),
    unit: "x",
    target: index === 0 ? target : undefined,
    note: `${spread(ours)} to ${spread(theirs)}`,
  }));
}

async function alone(
  what: string,
  command: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv,
  target: number,
): Promise<Row> {
  const timings: number[] = [];
  for (let round = 0; round < manyTimes; round += 1) timings.push(await run(command, env));
  return { what, value: median(timings), target, note: spread(timings) };
}

async function run([file, ...args]: readonly [string, ...string[]], env: NodeJS.ProcessEnv): Promise<number> {
  return await timeOf(async () => {
    const child = spawn(file, args, { env, stdio: "ignore" });
    await once(child, "close");
  });
}

/** Least, median and most. */
function spread(values: readonly number[]): string {
  const figures = [Math.min(...values), median(values), Math.max(...values)];
  return `${figures.map((ms) => ms.toFixed(1)).join(" / ")} ms`;
}

interface Usage {
  readonly peakMiB: number;
  readonly cpuMs: number;
}

/** What the system counted for one run. The engine that is asked is in this process, which has to answer meanwhile. */
async function usageOf(command: readonly string[], env: NodeJS.ProcessEnv): Promise<Usage> {
  const script =
    "import resource,subprocess,sys\nsubprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL,stderr=subprocess.DEVNULL)\nu=resource.getrusage(resource.RUSAGE_CHILDREN)\nprint(u.ru_maxrss//1024,(u.ru_utime+u.ru_stime)*1000)";
  const { stdout } = await promisify(execFile)("python3", ["-c", script, ...command], { env });
  const [peakMiB = Number.NaN, cpuMs = Number.NaN] = stdout.split(" ").map(Number);
  return { peakMiB, cpuMs };
}

/** A store of machines like `web`, at one address. */
async function storeOf(program: Program, name: string, count: number, record: string, url: string): Promise<string> {
  const store = path.join(program.folder, name);
  await cp(path.join(program.store, "certs"), path.join(store, "certs"), { recursive: true });
  const engineUrl = /tcp:\/\/127\.0\.0\.1:\d+/u.exec(record)?.[0] ?? "";
  for (let index = 0; index < count; index += 1) {
    const folder = path.join(store, "machines", `m${index}`);
    await mkdir(folder, { recursive: true });
    const text = record
      .replaceAll(engineUrl, url)
      .replaceAll(program.store, store)
      .replaceAll("/machines/web", `/machines/m${index}`);
    await writeFile(path.join(folder, "config.json"), text.replaceAll('"web"', `"m${index}"`));
  }
  return store;
}

/** Compiled as the executable is. */
async function bareProgram(folder: string, name: string, source: string): Promise<string> {
  const file = path.join(folder, `${name}.js`);
  await writeFile(
    file,
    source === "" ? 'import { writeSync } from "node:fs";\nwriteSync(1, "x\\n");\nprocess.exit(0);\n' : source,
  );
  const out = path.join(folder, name);
  const options = ["--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig", "--compile-jit-policy=16"];
  execFileSync("bun", ["build", file, "--compile", "--bytecode", "--minify", "--format=esm", ...options, "--outfile", out], {
    stdio: "ignore",
  });
  return out;
}

/** Asks one engine `count` times with the client's certificate, 64 at once, each over a connection of its own. */
function clientSource(store: string, url: string, count: number): string {
  return `import { readFileSync } from "node:fs";
import { request } from "node:https";
const read = (name) => readFileSync(${JSON.stringify(path.join(store, "certs"))} + "/" + name);
const tls = { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem"), agent: false, servername: "" };
const ask = () => new Promise((resolve, reject) =>
  request(${JSON.stringify(url.replace("tcp:", "https:"))} + "/version", tls, (answer) => answer.resume().on("end", resolve)).on("error", reject).end());
let left = ${count};
await Promise.all(Array.from({ length: 64 }, async () => { while (left-- > 0) await ask(); }));
process.exit(0);
`;
}
