/**
 * VBoxManage itself, with machines that run laid over it: what needs the kernel module is answered here, everything else by the
 * product. A machine that was started is shown as running, its card has a lease, and it is off once that is asked for.
 */
import type { ProcessRunner, RunOptions, RunResult } from "../../../src/system/process.ts";

const nothing = { status: 0, signal: null, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) } as const;

export class RunningOverlay implements ProcessRunner {
  readonly #real: ProcessRunner;
  /** By their ids. */
  readonly #running = new Set<string>();

  constructor(real: ProcessRunner) {
    this.#real = real;
  }

  async find(program: string): Promise<string | undefined> {
    return await this.#real.find(program);
  }

  spawn(...args: Parameters<ProcessRunner["spawn"]>): ReturnType<ProcessRunner["spawn"]> {
    return this.#real.spawn(...args);
  }

  async run(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    options.signal?.throwIfAborted();
    const [command, target = ""] = args;
    switch (command) {
      case "startvm":
        this.#running.add(target);
        return { ...nothing, stdout: Buffer.from(`VM "${target}" has been successfully started.\n`) };
      case "controlvm":
        if (this.#running.delete(target)) return nothing;
        return await this.#real.run(program, args, options);
      case "showvminfo": {
        const result = await this.#real.run(program, args, options);
        if (!this.#running.has(target)) return result;
        return { ...result, stdout: Buffer.from(result.stdout.toString().replace('VMState="poweroff"', 'VMState="running"')) };
      }
      case "dhcpserver":
        if (target === "findlease")
          return { ...nothing, stdout: Buffer.from("IP Address:  192.168.59.101\nState:       acked\n") };
        return await this.#real.run(program, args, options);
      default:
        return await this.#real.run(program, args, options);
    }
  }
}
