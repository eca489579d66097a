/** The program as its users run it: the executable, or the npm package on Node, with a store and a home of its own. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { quoteCommand } from "../../src/ssh/shell-quote.ts";

export interface ProgramResult {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string | Uint8Array;
  readonly cwd?: string;
  readonly timeoutMs?: number;
}

const root = path.resolve(import.meta.dirname, "../..");

/** The two ways to run it; end-to-end tests take the executable unless PROGRAM=node says otherwise. */
export const programs = {
  executable: [path.join(root, "build/docker-machine")],
  node: [process.execPath, path.join(root, "dist/docker-machine.cjs")],
} as const;

export type ProgramKind = keyof typeof programs;

const longMs = 300_000;

export interface Watching {
  /** Hears of each command when it is through. */
  readonly report?: ((line: string) => Promise<void>) | undefined;
  /** Ends what runs, and all that it has started. */
  readonly signal?: AbortSignal | undefined;
}

export class Program implements AsyncDisposable {
  readonly kind: ProgramKind;
  /** Holds `store/` and `home/`; removed at the end. */
  readonly folder: string;
  readonly store: string;
  readonly #watching: Watching;

  private constructor(kind: ProgramKind, folder: string, watching: Watching) {
    this.kind = kind;
    this.folder = folder;
    this.#watching = watching;
    this.store = path.join(folder, "store");
  }

  static async open(
    kind: ProgramKind = process.env["PROGRAM"] === "node" ? "node" : "executable",
    watching: Watching = {},
  ): Promise<Program> {
    const file = programs[kind].at(-1) ?? "";
    if (!existsSync(file)) throw new Error(`${file} is not built: run npm run build`);
    const folder = await mkdtemp(path.join(tmpdir(), "dm-e2e-"));
    await mkdir(path.join(folder, "home"), { mode: 0o700 });
    return new Program(kind, folder, watching);
  }

  /** What starts the program. */
  get commandLine(): readonly [string, ...string[]] {
    return programs[this.kind];
  }

  environment(extra: RunOptions["env"] = {}): NodeJS.ProcessEnv {
    const { PATH, LANG, TERM } = process.env;
    return {
      PATH,
      LANG,
      TERM,
      HOME: path.join(this.folder, "home"),
      USER: "tester",
      SHELL: "/bin/bash",
      MACHINE_STORAGE_PATH: this.store,
      ...extra,
    };
  }

  /** Starts it in a process group of its own, as a shell does, so that Ctrl-C reaches what it has started too. */
  start(args: readonly string[], options: RunOptions = {}): RunningProgram {
    const running = this.#start([...this.commandLine, ...args], options);
    running.type(options.stdin ?? "");
    running.endInput();
    return running;
  }

  /** Starts it at a terminal of its own, with somebody there to {@link RunningProgram.type}. What the terminal shows is standard output. */
  startAtTerminal(args: readonly string[], options: RunOptions = {}): RunningProgram {
    return this.#start(["script", "-qec", quoteCommand([...this.commandLine, ...args]), "/dev/null"], options);
  }

  #start([command = "", ...args]: readonly string[], options: RunOptions): RunningProgram {
    const child = spawn(command, args, { env: this.environment(options.env), cwd: options.cwd ?? this.folder, detached: true });
    const running = new RunningProgram(child, options.timeoutMs ?? longMs);
    this.#watch(running);
    return running;
  }

  #watch(running: RunningProgram): void {
    const { signal } = this.#watching;
    const end = (): void => running.signal("SIGKILL", "group");
    signal?.addEventListener("abort", end);
    const forget = (): void => signal?.removeEventListener("abort", end);
    running.ended.then(forget, forget);
  }

  /** Runs to the end. Any exit status is a result. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<ProgramResult> {
    const began = performance.now();
    const result = await this.start(args, options).ended;
    const seconds = ((performance.now() - began) / 1_000).toFixed(1);
    await this.#watching.report?.(
      `docker-machine ${args.join(" ")}: status ${result.status ?? result.signal} after ${seconds} s`,
    );
    return result;
  }

  /** As {@link run}; another status than 0 throws with all that was printed. Gives standard output. */
  async ok(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const result = await this.run(args, options);
    if (result.status === 0) return result.stdout;
    throw new Error(
      `docker-machine ${args.join(" ")} ended with ${result.status ?? result.signal}\n${result.stdout}\n${result.stderr}`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

export class RunningProgram {
  readonly ended: Promise<ProgramResult>;
  readonly #child: ChildProcess;
  readonly #chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };

  constructor(child: ChildProcess, timeoutMs: number) {
    this.#child = child;
    child.stdin?.on("error", () => {});
    for (const name of ["stdout", "stderr"] as const) child[name]?.on("data", (chunk: Buffer) => this.#chunks[name].push(chunk));
    const timer = setTimeout(() => this.signal("SIGKILL"), timeoutMs);
    this.ended = new Promise<ProgramResult>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (status, signal) =>
        resolve({ status, signal, stdout: this.printed("stdout"), stderr: this.printed("stderr") }),
      );
    }).finally(() => clearTimeout(timer));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  printed(stream: "stdout" | "stderr"): string {
    return Buffer.concat(this.#chunks[stream]).toString();
  }

  /** Resolves once the stream holds the pattern. Rejects with all that was printed when the program ends without it. */
  async said(pattern: RegExp, stream: "stdout" | "stderr" = "stdout"): Promise<void> {
    const found = Promise.withResolvers<void>();
    const look = (): void => {
      if (pattern.test(this.printed(stream))) found.resolve();
    };
    this.#child[stream]?.on("data", look);
    look();
    const tooEarly = async (): Promise<never> => {
      const { status, stdout, stderr } = await this.ended;
      look();
      throw new Error(`It ended with ${status} and never said ${pattern}\n${stdout}\n${stderr}`);
    };
    await Promise.race([found.promise, tooEarly()]);
    this.#child[stream]?.off("data", look);
  }

  type(text: string | Uint8Array): void {
    this.#child.stdin?.write(text);
  }

  endInput(): void {
    this.#child.stdin?.end();
  }

  /** `group`: as Ctrl-C at a terminal, to the program and all that it has started in the foreground. */
  signal(name: NodeJS.Signals, whom: "process" | "group" = "process"): void {
    try {
      process.kill(whom === "group" ? -this.pid : this.pid, name);
    } catch {
      // It has ended already.
    }
  }
}

/** Runs another program to its end and gives its standard output; another status than 0 throws. */
export async function output(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const child = spawn(command, [...args], { env: { ...process.env, ...options.env } as NodeJS.ProcessEnv, cwd: options.cwd });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  // One that does not read its input tells its story by its exit status.
  child.stdin.on("error", () => {});
  child.stdin.end(options.stdin ?? "");
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (status === 0) return Buffer.concat(stdout).toString();
  throw new Error(`${command} ${args.join(" ")} ended with ${status}\n${Buffer.concat(stderr).toString()}`);
}
