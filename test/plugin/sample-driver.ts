/** A driver with a flag of each kind, all of whose state is in its configuration: what is served in tests. */
import { setTimeout as sleep } from "node:timers/promises";
import { newBaseConfig, type BaseConfig } from "../../src/driver-kit/base-config.ts";
import { BuiltinDriver } from "../../src/driver-kit/builtin-driver.ts";
import type { DriverContext, DriverModule } from "../../src/driver-kit/driver.ts";
import type { DriverOptions } from "../../src/driver-kit/create-flag.ts";
import { stateNumber, stateOfNumber, type MachineState } from "../../src/driver-kit/state.ts";
import { MachineError } from "../../src/errors/machine-error.ts";
import { logTo } from "../../src/log/event.ts";

interface SampleConfig extends BaseConfig {
  Text: string;
  Num: number;
  Yes: boolean;
  List: string[];
  State: number;
  Token?: string;
}

class SampleDriver extends BuiltinDriver<SampleConfig> {
  readonly driverName = "sample";

  constructor(context: DriverContext, configText: string | undefined) {
    const defaults = {
      ...newBaseConfig(context.machineName, context.storePath),
      SSHUser: "ubuntu",
      Text: "",
      Num: 0,
      Yes: false,
      List: [],
      State: 0,
    };
    super(context, defaults, configText);
  }

  async setConfigFromFlags(options: DriverOptions): Promise<void> {
    this.config.Text = options.string("sample-text");
    this.config.Num = options.int("sample-num");
    this.config.Yes = options.bool("sample-yes");
    this.config.List = [...options.strings("sample-list")];
    const token = options.string("sample-token");
    this.context.secret(token);
    if (token !== "") this.config.Token = token;
    this.setSwarmConfig(options);
    if (this.config.Text === "bad") throw new MachineError("driver-options", "--sample-text is bad", { hint: "Choose another." });
  }

  async create(signal: AbortSignal): Promise<void> {
    logTo(this.context.report, "info", "making it\nin two lines");
    logTo(this.context.report, "info", `token for children: ${this.context.computer.env["MACHINE_PLUGIN_TOKEN"]}`);
    logTo(this.context.report, "debug", "with hush-hush details");
    if (this.config.Text === "careless") throw new Error(`401: ${this.config.Token} is not accepted`);
    if (this.config.Text === "bug") throw new TypeError("undefined is not a machine");
    if (this.config.Text === "slow") await sleep(300, undefined, { signal });
    if (this.config.Text === "long line") logTo(this.context.report, "info", "x".repeat(200_000));
    this.config.IPAddress = "192.0.2.5";
    await this.#become("Running");
  }

  async remove(): Promise<void> {
    await this.#become("");
  }

  async start(): Promise<void> {
    await this.#become("Running");
  }

  async stop(): Promise<void> {
    await this.#become("Stopped");
  }

  async kill(): Promise<void> {
    await this.#become("Stopped");
  }

  async restart(): Promise<void> {
    this.unsupported("samples are not restarted");
  }

  async getState(): Promise<MachineState> {
    return stateOfNumber(this.config.State);
  }

  /** As recorded: whether it runs is for whoever serves the driver to ask. */
  async getUrl(): Promise<string> {
    return `tcp://${this.config.IPAddress}:2376`;
  }

  async #become(state: MachineState): Promise<void> {
    this.config.State = stateNumber(state);
    await this.context.save();
  }
}

export const sampleModule: DriverModule = {
  name: "sample",
  summary: "A driver for tests",
  flags: [
    { kind: "string", name: "sample-text", usage: "a text", envVar: "SAMPLE_TEXT", value: "plain" },
    { kind: "int", name: "sample-num", usage: "a number", value: -129 },
    { kind: "bool", name: "sample-yes", usage: "a switch" },
    { kind: "strings", name: "sample-list", usage: "a list", value: ["a", "b"] },
    { kind: "string", name: "sample-token", usage: "a secret", secret: true },
  ],
  capabilities: {
    provisionable: true,
    adopted: false,
    lifecycle: { start: true, stop: true, kill: true, restart: false },
    parallelCreate: true,
    perNameFlags: [],
    injectsHostKeys: false,
  },
  open: (context, configText) => new SampleDriver(context, configText),
};
