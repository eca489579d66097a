/** Runs `main` in this process with streams in memory and ports that tests own. */
import type { CreateFlag } from "../../driver-kit/create-flag.ts";
import { MachineError } from "../../errors/machine-error.ts";
import type { Computer } from "../../system/computer.ts";
import { FakeClock } from "../../system/fake-clock.ts";
import { commandSource, type Command, type CommandModule } from "../command.ts";
import { commandTable } from "../command-table.ts";
import { fakeComputer } from "./fake-computer.ts";
import { fakeStreams } from "./fake-terminal.ts";
import { main } from "../main.ts";
import type { MainContext } from "../main-context.ts";

export interface FakeRunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly computer?: Partial<Computer>;
  readonly input?: readonly string[];
  readonly isTerminal?: boolean;
  /** Code in place of the named commands' own. */
  readonly code?: Readonly<Record<string, CommandModule["run"]>>;
  /** Commands in place of the program's. */
  readonly commands?: readonly Command[];
  /** Create flags by driver name; other drivers are not found. */
  readonly drivers?: Readonly<Record<string, readonly CreateFlag[]>>;
}

export class FakeRun {
  readonly clock = new FakeClock();
  readonly streams;
  /** Codes the process was ended with at once. */
  readonly exits: number[] = [];
  /** Throws where nobody waits for it. */
  fault: (error: unknown) => void = () => {};
  readonly #listeners = new Set<(signal: NodeJS.Signals) => void>();
  readonly #options: FakeRunOptions;

  constructor(options: FakeRunOptions = {}) {
    this.#options = options;
    this.streams = fakeStreams({ isTerminal: options.isTerminal ?? false, input: options.input ?? [] });
  }

  async main(...words: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const { env = {}, computer = {} } = this.#options;
    const code = await main(["docker-machine", ...words], fakeComputer({ env, ...computer }), this.streams, this.#mainContext());
    return { code, stdout: this.streams.stdout.text, stderr: this.streams.stderr.text };
  }

  /** As a signal does. */
  interrupt(signal: NodeJS.Signals = "SIGINT"): void {
    for (const listener of this.#listeners) listener(signal);
  }

  #mainContext(): MainContext {
    const commands = (this.#options.commands ?? commandTable).map((command) => this.#withCode(command));
    return {
      commands: commandSource(commands),
      clock: this.clock,
      runtime: "Test 1.0",
      driverFlags: async (name) => this.#driverFlags(name),
      ownerOfFlag: async (flag) =>
        Object.entries(this.#options.drivers ?? {}).find(([, flags]) => flags.some(({ name }) => name === flag))?.[0],
      exitNow: (code) => void this.exits.push(code),
      onUnexpected: (listener) => {
        this.fault = listener;
      },
      onInterrupt: (listener) => {
        this.#listeners.add(listener);
        return () => void this.#listeners.delete(listener);
      },
    };
  }

  #withCode(command: Command): Command {
    const run = this.#options.code?.[command.name];
    return run === undefined ? command : { ...command, load: async () => ({ run }) };
  }

  #driverFlags(name: string): readonly CreateFlag[] {
    const flags = this.#options.drivers?.[name];
    if (flags === undefined) throw new MachineError("driver-not-found", `Driver "${name}" not found.`);
    return flags;
  }
}
