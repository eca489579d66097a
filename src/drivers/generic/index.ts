/**
 * `generic`: an existing Linux box over SSH. Nothing is created or removed; the box is adopted. Facts of 0.16.2's driver
 * of the same name: its flags and fields, the copy of the key in the store, a state that SSH tells.
 */
import { defaultEnginePort } from "../../engine/engine-address.ts";
import * as path from "node:path";
import { newBaseConfig, type BaseConfig } from "../../driver-kit/base-config.ts";
import { BuiltinDriver, engineUrl } from "../../driver-kit/builtin-driver.ts";
import { copyNameOf, importedKeyName, ownKeyName } from "../../driver-kit/core-files.ts";
import type { DriverContext, DriverModule, OwnKey } from "../../driver-kit/driver.ts";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import type { MachineState } from "../../driver-kit/state.ts";
import { isMachineError, MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
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
  /** Ours: whether the machine is to have a key pair of its own. Once it has, `SSHKeyPath` leads there. */
  OwnKey: "" | "wanted" | "declined";
}

/** What the engine's port is given before sshd is asked as well: an engine that listens answers a connection at once. */
export const engineHeadStartMs = 2_000;

class GenericDriver extends BuiltinDriver<GenericConfig> {
  readonly driverName = "generic";

  constructor(context: DriverContext, configText: string | undefined) {
    const base = newBaseConfig(context.machineName, context.storePath);
    super(
      context,
      { ...base, EnginePort: defaultEnginePort, SSHKey: "", SSHConfigHost: "", SudoPasswordFile: "", OwnKey: "" },
      configText,
    );
  }

  get sshConfigHost(): string | undefined {
    return this.config.SSHConfigHost === "" ? undefined : this.config.SSHConfigHost;
  }

  get sudoPasswordFile(): string | undefined {
    return this.config.SudoPasswordFile === "" ? undefined : this.config.SudoPasswordFile;
  }

  /** An entry of ssh_config says itself which key is used. */
  get ownKey(): OwnKey | undefined {
    const { config } = this;
    if (config.SSHConfigHost !== "") return undefined;
    const wish = config.OwnKey === "" ? "none" : config.OwnKey;
    return {
      state: config.SSHKeyPath === this.#ownKeyFile ? "used" : wish,
      want: () => void (config.OwnKey = config.OwnKey === "declined" ? "declined" : "wanted"),
      use: async () => await this.#useOwnKey(),
    };
  }

  get #ownKeyFile(): string {
    return path.join(this.context.machineDir, ownKeyName);
  }

  async #useOwnKey(): Promise<readonly string[]> {
    const { config, context } = this;
    const [copy, original] = [config.SSHKeyPath, config.SSHKey];
    Object.assign(config, { SSHKeyPath: this.#ownKeyFile, SSHKey: "", OwnKey: "" });
    if (copy === "" || path.dirname(copy) !== context.machineDir) return [];
    const isImported = path.basename(copy) === importedKeyName;
    if (isImported || (await readFileIfExists(original).catch(() => {})) !== undefined)
      return [copy, `${copy}.pub`, `${copy}-cert.pub`];
    logTo(context.report, "warn", `${original} is not there any more: its copy ${copy} stays, for you alone`);
    return [];
  }

  async setConfigFromFlags(options: DriverOptions): Promise<void> {
    const { config } = this;
    const { readAddress } = await import("./address.ts");
    config.SSHConfigHost = options.string("generic-ssh-config-host");
    config.EnginePort = options.int("generic-engine-port");
    config.IPAddress = readAddress(options.string("generic-ip-address"));
    config.SSHUser = options.string("generic-ssh-user");
    config.SSHKey = this.#absolute(options.string("generic-ssh-key"));
    config.SSHPort = options.int("generic-ssh-port");
    config.SudoPasswordFile = this.#absolute(options.string("generic-sudo-password-file"));
    if (options.isSet("generic-own-key")) config.OwnKey = options.bool("generic-own-key") ? "wanted" : "declined";
    this.setSwarmConfig(options);
    if (config.SSHConfigHost !== "") await this.#takeSshConfig(options);
    if (config.IPAddress === "") {
      throw new MachineError("driver-options", "generic driver requires the --generic-ip-address option");
    }
    if (config.SSHConfigHost !== "" && config.OwnKey === "wanted") {
      throw new MachineError("driver-options", "--generic-own-key goes with no entry of ssh_config, which names the key itself", {
        hint: "Give the address, the user and the port by their own flags.",
      });
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
    if (SSHKey !== "") await this.#loadKey(SSHKey);
    if (SudoPasswordFile !== "" && (await readFileIfExists(SudoPasswordFile)) === undefined) {
      throw new MachineError("driver-options", `The sudo password file does not exist: ${SudoPasswordFile}`);
    }
  }

  async create(): Promise<void> {
    const { SSHKey } = this.config;
    // With the user's own, where it lies, the machine is given one.
    if (this.ownKey?.state === "wanted" || this.ownKey?.state === "used") return;
    if (SSHKey === "") {
      logTo(this.context.report, "info", "No SSH key specified. Assuming an existing key at the default location.");
      return;
    }
    logTo(this.context.report, "info", "Importing SSH key...");
    const copy = path.join(this.context.machineDir, copyNameOf(path.basename(SSHKey)));
    // As OpenSSH reads it, whatever the file has been through.
    await writeFileAtomic(copy, await this.#loadKey(SSHKey), 0o600);
    await this.#copy(`${SSHKey}.pub`, `${copy}.pub`, 0o600);
    await this.#copy(`${SSHKey}-cert.pub`, `${copy}-cert.pub`, 0o600);
    this.config.SSHKeyPath = copy;
  }

  /** The box was there before and stays; only the record goes. */
  async remove(): Promise<void> {}

  /**
   * A machine whose engine listens runs. Otherwise its SSH server is asked by a whole login: connections that are opened
   * and dropped earn sshd's penalties. What takes long is no sign of a stopped machine, only what never comes.
   */
  async getState(signal: AbortSignal): Promise<MachineState> {
    const { IPAddress, EnginePort } = this.config;
    // Through a jump host the port cannot be dialled from here.
    const direct = this.sshConfigHost === undefined;
    if (direct && (await acceptsConnections(IPAddress, EnginePort, engineHeadStartMs, signal))) return "Running";
    return await this.#stateOverSsh(signal);
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

  /** Loaded where a key is, because no command that only asks for an address needs to know keys. */
  async #loadKey(file: string): Promise<string> {
    const { loadPrivateKey, portablePrivateKey } = await import("../../ssh/keys.ts");
    return portablePrivateKey(await loadPrivateKey(file, this.context.computer));
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
    const result = await this.context.processes.run(
      "ssh",
      ["-o", "IgnoreUnknown=ForkAfterAuthentication", "-o", "ForkAfterAuthentication=no", "-G", "--", entry],
      { timeoutMs: 10_000 },
    );
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

  async #stateOverSsh(signal: AbortSignal): Promise<MachineState> {
    try {
      await using ssh = await this.context.openSsh();
      await ssh.connect(signal);
      return "Running";
    } catch (error) {
      signal.throwIfAborted();
      if (!isMachineError(error)) throw error;
      const { saysNobodyIsThere } = await import("../../ssh/ssh-errors.ts");
      return saysNobodyIsThere(error) ? "Stopped" : "Running";
    }
  }
}

export const driverModule: DriverModule = {
  name: "generic",
  summary: "An existing Linux box, reached over SSH",
  flags: genericFlags,
  newKeys: ["SSHConfigHost", "SudoPasswordFile", "OwnKey"],
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
