/** A process that a test started, and everything it printed. */
import { spawn, type ChildProcess } from "node:child_process";
import type { Runtime } from "./runtimes.ts";

export interface ProcessEnd {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class TestProcess {
  readonly #child: ChildProcess;
  readonly end: Promise<ProcessEnd>;
  #stdout = "";
  #stderr = "";
  readonly #firstOutput: Promise<void>;

  /** Runs a TypeScript program of this project. */
  constructor(runtime: Runtime, program: string, args: readonly string[]) {
    this.#child = spawn(runtime.program, [program, ...args], { stdio: ["pipe", "pipe", "pipe"] });
    this.end = new Promise((resolve, reject) => {
      this.#child.on("error", reject);
      this.#child.on("close", (status, signal) => resolve({ status, signal, stdout: this.#stdout, stderr: this.#stderr }));
    });
    this.#firstOutput = new Promise((resolve) => this.#child.stdout?.once("data", () => resolve()));
    this.#child.stdout?.on("data", (chunk: Buffer) => (this.#stdout += chunk.toString()));
    this.#child.stderr?.on("data", (chunk: Buffer) => (this.#stderr += chunk.toString()));
    this.#child.stdin?.on("error", () => {});
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Resolves when the process has printed something; rejects with its error output when it ended without. */
  async started(): Promise<void> {
    const ended = this.end.then(({ stderr }) => Promise.reject(new Error(`it ended early: ${stderr}`)));
    await Promise.race([this.#firstOutput, ended]);
  }

  /** Ends its input, which is how a test tells it to finish. */
  finish(): Promise<ProcessEnd> {
    this.#child.stdin?.end();
    return this.end;
  }

  /** SIGKILL. */
  kill(): Promise<ProcessEnd> {
    this.#child.kill("SIGKILL");
    return this.end;
  }
}
