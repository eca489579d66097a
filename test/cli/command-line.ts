/** The program on a store of its own, with an environment that holds nothing of this computer but PATH. */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { programUnderTest, type Outcome } from "../golden/replay.ts";

export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string;
  /** The argv prefix of the program; ours unless given. */
  readonly program?: readonly string[];
}

export interface CommandLine extends AsyncDisposable {
  /** Holds `store/`, `home/` and `bin/`; removed at the end. */
  readonly folder: string;
  readonly store: string;
  /** Runs to the end; any exit status is a result. */
  run(args: readonly string[], options?: RunOptions): Promise<Outcome>;
  /** Starts it, with its output in pipes; the caller ends it. */
  start(args: readonly string[], program?: readonly string[]): ChildProcessWithoutNullStreams;
  /** As `run` with words at spaces; another status than 0 throws with all that was printed. Gives standard output. */
  ok(words: string, options?: RunOptions): Promise<string>;
  /** A machine by the text of its config.json, in which `STORE` stands for the store's path. */
  addRecord(name: string, text: string): Promise<void>;
  recordText(name: string): Promise<string>;
  recordPath(name: string): string;
  /** Puts a script for the Node that runs the tests on PATH as a driver's plugin. */
  addPlugin(driver: string, source: string): Promise<void>;
  copyInto(source: string, target: string): Promise<void>;
}

const timeoutMs = 60_000;

export async function openCommandLine(): Promise<CommandLine> {
  const folder = await mkdtemp(path.join(tmpdir(), "docker-machine-cli-"));
  const store = path.join(folder, "store");
  for (const name of ["store", "home", "bin", "work"]) await mkdir(path.join(folder, name), { mode: 0o700 });
  const environment = {
    PATH: `${path.join(folder, "bin")}:${process.env["PATH"]}`,
    HOME: path.join(folder, "home"),
    USER: "tester",
    SHELL: "/bin/bash",
    NODE_NO_WARNINGS: "1",
    MACHINE_STORAGE_PATH: store,
    DOCKER_MACHINE_ARGV0: "docker-machine",
  };
  const recordPath = (name: string): string => path.join(store, "machines", name, "config.json");
  const run = async (args: readonly string[], options: RunOptions = {}): Promise<Outcome> => {
    const [file = "", ...prefix] = options.program ?? programUnderTest();
    const env = { ...environment, ...options.env };
    const child = spawn(file, [...prefix, ...args], { cwd: path.join(folder, "work"), env, timeout: timeoutMs });
    const texts = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (texts.stdout += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (texts.stderr += chunk));
    child.stdin.on("error", () => {}).end(options.stdin ?? "");
    const code = await new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
    return { code, ...texts };
  };
  const start = (args: readonly string[], program = programUnderTest()): ChildProcessWithoutNullStreams => {
    const [file = "", ...prefix] = program;
    return spawn(file, [...prefix, ...args], { cwd: path.join(folder, "work"), env: environment, timeout: timeoutMs });
  };
  return {
    folder,
    store,
    run,
    start,
    ok: async (words, options) => {
      const { code, stdout, stderr } = await run(words.split(" "), options);
      if (code !== 0) throw new Error(`docker-machine ${words} ended with ${code}\n${stdout}\n${stderr}`);
      return stdout;
    },
    addRecord: async (name, text) => {
      await mkdir(path.dirname(recordPath(name)), { recursive: true, mode: 0o700 });
      await writeFile(recordPath(name), text.replaceAll("STORE", store), { mode: 0o600 });
    },
    recordText: async (name) => await readFile(recordPath(name), "utf8"),
    recordPath,
    addPlugin: async (driver, source) => {
      const file = path.join(folder, "bin", `docker-machine-driver-${driver}`);
      await writeFile(file, `#!${process.execPath}\n${source}`);
      await chmod(file, 0o755);
    },
    copyInto: async (source, target) => await cp(source, path.join(folder, target), { recursive: true }),
    [Symbol.asyncDispose]: async () => await rm(folder, { recursive: true, force: true }),
  };
}

/** The source of a plugin that serves the sample driver: a whole life, kept in its configuration. */
export const samplePlugin = `import(${JSON.stringify(new URL("../plugin/served-plugin.ts", import.meta.url).href)});\n`;

/** The source of a plugin that misbehaves, as `test/plugin/scripted-plugin.ts` lists them. */
export function badPlugin(how: string): string {
  const script = new URL("../plugin/scripted-plugin.ts", import.meta.url).href;
  return `import(${JSON.stringify(script)}).then((m) => m.misbehaviours[${JSON.stringify(how)}]());\n`;
}

/** A record as 0.16.2 writes it, of a machine whose driver is a plugin. */
export function pluginRecord(name: string, driver: string, state: number): string {
  const config = {
    IPAddress: "127.0.0.1",
    MachineName: name,
    SSHUser: "ubuntu",
    SSHPort: 22,
    SSHKeyPath: "",
    StorePath: "STORE",
  };
  const auth = { CertDir: "STORE/certs", CaCertPath: "STORE/certs/ca.pem", CaPrivateKeyPath: "STORE/certs/ca-key.pem" };
  const client = {
    ClientKeyPath: "STORE/certs/key.pem",
    ClientCertPath: "STORE/certs/cert.pem",
    StorePath: `STORE/machines/${name}`,
  };
  const record = {
    ConfigVersion: 3,
    Driver: { ...config, State: state },
    DriverName: driver,
    HostOptions: { EngineOptions: {}, SwarmOptions: {}, AuthOptions: { ...auth, ...client } },
    Name: name,
  };
  return JSON.stringify(record, undefined, 4);
}
