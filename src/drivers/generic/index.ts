/**
 * `generic`: an existing Linux box over SSH. Nothing is created or removed; the box is adopted. Facts of 0.16.2's driver
 * of the same name: its flags and fields, the copy of the key in the store, the state told by the SSH port.
 */
import { defaultEnginePort } from "../../engine/engine-address.ts";
import * as path from "node:path";
import { newBaseConfig, type BaseConfig } from "../../driver-kit/base-config.ts";
import { BuiltinDriver, engineUrl } from "../../driver-kit/builtin-driver.ts";
import { copyNameOf } from "../../driver-kit/core-files.ts";
import type { DriverContext, DriverModule } from "../../driver-kit/driver.ts";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import type { MachineState } from "../../driver-kit/state.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { loadPrivateKey } from "../../ssh/keys.ts";
import { readFileIfExists, writeFileAtomic } from "../../system/files.ts";
import { acceptsConnections } from "../../system/tcp.ts";
import { genericFlags } from "./flags.ts";

interface GenericConfig extends BaseConfig {
  EnginePort: number;
  SSHKey: string;
  /** Ours: the entry of the user's ssh_config through which the box is reached. */
  SSHConfigHost: string;
  /** Ours: file with the sudo password; the password itself is never stored. */
  SudoPasswordFile: string;
}

/** Who listens answers a connection at once. */
export const stateProbeMs = 1_000;

class GenericDriver extends BuiltinDriver<GenericConfig> {
  readonly driverName = "generic";

  constructor(context: DriverContext, configText: string | undefined) {
    const base = newBaseConfig(context.machineName, context.storePath);
    super(context, { ...base, EnginePort: defaultEnginePort, SSHKey: "", SSHConfigHost: "", SudoPasswordFile: "" }, configText);
  }

  get sshConfigHost(): string | undefined {
    return this.config.SSHConfigHost === "" ? undefined : this.config.SSHConfigHost;
  }

  get sudoPasswordFile(): string | undefined {
    return this.config.SudoPasswordFile === "" ? undefined : this.config.SudoPasswordFile;
  }

  async setConfigFromFlags(options: DriverOptions): Promise<void> {
    const { config } = this;
    config.SSHConfigHost = options.string("generic-ssh-config-host");
    config.EnginePort = options.int("generic-engine-port");
    config.IPAddress = options.string("generic-ip-address");
    config.SSHUser = options.string("generic-ssh-user");
    config.SSHKey = this.#absolute(options.string("generic-ssh-key"));
    config.SSHPort = options.int("generic-ssh-port");
    config.SudoPasswordFile = this.#absolute(options.string("generic-sudo-password-file"));
    this.setSwarmConfig(options);
    if (config.SSHConfigHost !== "") await this.#takeSshConfig(options);
    if (config.IPAddress === "") {
      throw new MachineError("driver-options", "generic driver requires the --generic-ip-address option");
    }
    for (const [flag, port] of [
      ["ssh", config.SSHPort],
      ["engine", config.EnginePort],
    ] as const) {
      if (port < 1 || port > 65_535)
        throw new MachineError("driver-options", `--generic-${flag}-port ${port} is not a port number`);
    }
  }

  override async preCreateCheck(_signal: AbortSignal): Promise<void> {
    const { SSHKey, SudoPasswordFile } = this.config;
    if (SSHKey !== "") await loadPrivateKey(SSHKey, this.context.computer);
    if (SudoPasswordFile !== "" && (await readFileIfExists(SudoPasswordFile)) === undefined) {
      throw new MachineError("driver-options", `The sudo password file does not exist: ${SudoPasswordFile}`);
    }
  }

  async create(): Promise<void> {
    const { SSHKey } = this.config;
    if (SSHKey === "") {
      logTo(this.context.report, "info", "No SSH key specified. Assuming an existing key at the default location.");
      return;
    }
    logTo(this.context.report, "info", "Importing SSH key...");
    const copy = path.join(this.context.machineDir, copyNameOf(path.basename(SSHKey)));
    await this.#copy(SSHKey, copy, 0o600);
    await this.#copy(`${SSHKey}.pub`, `${copy}.pub`, 0o600);
    this.config.SSHKeyPath = copy;
  }

  /** The box was there before and stays; only the record goes. */
  async remove(): Promise<void> {}

  async getState(signal: AbortSignal): Promise<MachineState> {
    // Through a jump host the port cannot be dialled from here.
    if (this.sshConfigHost !== undefined) return await this.#stateOverSsh();
    return (await acceptsConnections(this.config.IPAddress, this.config.SSHPort, stateProbeMs, signal)) ? "Running" : "Stopped";
  }

  async getUrl(): Promise<string> {
    return engineUrl(this.config.IPAddress, this.config.EnginePort);
  }

  /** The user's own key as long as there is no copy of it. */
  override async getSshKeyPath(): Promise<string> {
    return this.config.SSHKeyPath === "" ? this.config.SSHKey : this.config.SSHKeyPath;
  }

  async start(): Promise<void> {
    this.unsupported("generic driver does not support start");
  }

  async stop(): Promise<void> {
    this.unsupported("generic driver does not support stop");
  }

  async kill(): Promise<void> {
    this.unsupported("generic driver does not support kill");
  }

  /** Returns when another boot of the box answers. */
  async restart(signal: AbortSignal): Promise<void> {
    const { rebootAndWait } = await import("./reboot.ts");
    await rebootAndWait(this.context, async () => await this.#sudoPassword(), signal);
  }

  /** The first line of the recorded file. */
  async #sudoPassword(): Promise<string | undefined> {
    const { SudoPasswordFile: file } = this.config;
    if (file === "") return undefined;
    const text = (await readFileIfExists(file))?.toString("utf8");
    if (text === undefined) throw new MachineError("driver-options", `The sudo password file does not exist: ${file}`);
    const password = text.replace(/\r?\n$/u, "");
    this.context.secret(password);
    return password;
  }

  #absolute(file: string): string {
    return file === "" ? "" : path.resolve(this.context.computer.cwd, file);
  }

  async #copy(from: string, to: string, mode: number): Promise<void> {
    const data = await readFileIfExists(from);
    if (data !== undefined) await writeFileAtomic(to, data, mode);
  }

  /** Address, user and port that the user's ssh_config gives for the entry, unless a flag gave them. */
  async #takeSshConfig(options: DriverOptions): Promise<void> {
    const entry = this.config.SSHConfigHost;
    const result = await this.context.processes.run("ssh", ["-G", "--", entry], { timeoutMs: 10_000 });
    if (result.status !== 0) {
      throw new MachineError(
        "driver-options",
        `ssh does not accept the host entry ${JSON.stringify(entry)}: ${result.stderr.toString().trim()}`,
      );
    }
    const value = (key: string): string => new RegExp(`^${key} (.*)$`, "mu").exec(result.stdout.toString())?.[1] ?? "";
    if (this.config.IPAddress === "") this.config.IPAddress = value("hostname");
    if (!options.isSet("generic-ssh-user")) this.config.SSHUser = value("user");
    if (!options.isSet("generic-ssh-port")) this.config.SSHPort = Number(value("port"));
  }

  async #stateOverSsh(): Promise<MachineState> {
    try {
      await using ssh = await this.context.openSsh();
      await ssh.run("true", { timeoutMs: 10_000 });
      return "Running";
    } catch {
      return "Stopped";
    }
  }
}

export const driverModule: DriverModule = {
  name: "generic",
  summary: "An existing Linux box, reached over SSH",
  flags: genericFlags,
  newKeys: ["SSHConfigHost", "SudoPasswordFile"],
  capabilities: {
    provisionable: true,
    adopted: true,
    lifecycle: { start: false, stop: false, kill: false, restart: true },
    parallelCreate: true,
    perNameFlags: ["generic-ip-address", "generic-ssh-config-host", "generic-ssh-port"],
    injectsHostKeys: false,
  },
  open: (context, configText) => new GenericDriver(context, configText),
};
