/** `none`: a name for an engine that somebody else looks after. Nothing is created, checked or removed. */
import { newBaseConfig, type BaseConfig } from "../../driver-kit/base-config.ts";
import { BuiltinDriver } from "../../driver-kit/builtin-driver.ts";
import type { DriverContext, DriverModule } from "../../driver-kit/driver.ts";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import type { MachineState } from "../../driver-kit/state.ts";
import { MachineError } from "../../errors/machine-error.ts";

interface NoneConfig extends BaseConfig {
  URL: string;
}

class NoneDriver extends BuiltinDriver<NoneConfig> {
  readonly driverName = "none";

  constructor(context: DriverContext, configText: string | undefined) {
    super(context, { ...newBaseConfig(context.machineName, context.storePath), URL: "" }, configText);
  }

  async setConfigFromFlags(options: DriverOptions): Promise<void> {
    const url = options.string("url");
    if (url === "") throw new MachineError("driver-options", "--url option is required when no driver is selected");
    const [badEscape] = /%(?![0-9a-f]{2}).{0,2}/iu.exec(url) ?? [];
    if (badEscape !== undefined) {
      throw new MachineError("driver-options", `parse ${JSON.stringify(url)}: invalid URL escape ${JSON.stringify(badEscape)}`);
    }
    this.config.URL = url;
    // 0.16.2 keeps host and port together here, and `ip` prints them so; whose name and password stand before is not of that.
    this.config.IPAddress = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#]*@)?([^/?#]*)/iu.exec(url)?.[1] ?? "";
  }

  async create(): Promise<void> {}
  async remove(): Promise<void> {}

  async getState(): Promise<MachineState> {
    return "Running";
  }

  async getUrl(): Promise<string> {
    return this.config.URL;
  }

  override async getSshHostname(): Promise<string> {
    return "";
  }

  override async getSshUsername(): Promise<string> {
    return "";
  }

  async start(): Promise<void> {
    this.unsupported("hosts without a driver cannot be started");
  }

  async stop(): Promise<void> {
    this.unsupported("hosts without a driver cannot be stopped");
  }

  async kill(): Promise<void> {
    this.unsupported("hosts without a driver cannot be killed");
  }

  async restart(): Promise<void> {
    this.unsupported("hosts without a driver cannot be restarted");
  }
}

export const driverModule: DriverModule = {
  name: "none",
  summary: "An engine that somebody else looks after, by its URL",
  flags: [{ kind: "string", name: "url", usage: "URL of host when no driver is selected" }],
  capabilities: {
    provisionable: false,
    adopted: true,
    lifecycle: { start: false, stop: false, kill: false, restart: false },
    parallelCreate: true,
    perNameFlags: ["url"],
    injectsHostKeys: false,
    tellsStateLocally: true,
  },
  open: (context, configText) => new NoneDriver(context, configText),
};
