/**
 * `shared`: a machine of somebody else, who has given this user a ticket for it (`docker-machine share`). Its engine is used
 * through the owner's SSH server, by a key that opens nothing else; what becomes of the machine is the owner's business.
 */
import { newBaseConfig, type BaseConfig } from "../../driver-kit/base-config.ts";
import { BuiltinDriver } from "../../driver-kit/builtin-driver.ts";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import type { DriverContext, DriverModule } from "../../driver-kit/driver.ts";
import type { MachineState } from "../../driver-kit/state.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";

interface SharedConfig extends BaseConfig {
  /** `TYPE BASE64` lines. */
  HostKeys: string[];
  /** ISO 8601, UTC. */
  Until: string;
  Mode: string;
}

class SharedDriver extends BuiltinDriver<SharedConfig> {
  readonly driverName = "shared";
  /** Fingerprint of the key that the ticket is for, when it is taken. */
  #ticketKey = "";

  constructor(context: DriverContext, configText: string | undefined) {
    const base = newBaseConfig(context.machineName, context.storePath);
    super(context, { ...base, HostKeys: [], Until: "", Mode: "engine" }, configText);
  }

  get stateProblem(): string | undefined {
    return this.#isOver() ? `The owner shared it until ${this.config.Until}` : undefined;
  }

  async setConfigFromFlags(options: DriverOptions): Promise<void> {
    const { config } = this;
    const [{ parseTicket, noTicket }, { parsePublicKey }] = await Promise.all([
      import("../../driver-kit/share-ticket.ts"),
      import("../../ssh/public-key.ts"),
    ]);
    const text = options.string("shared-ticket");
    if (text === "") throw new MachineError("driver-options", "shared driver requires the --shared-ticket option");
    const ticket = parseTicket(text);
    // Without a key that is one, the first contact would be trusted.
    if (ticket.hostKeys.some((line) => parsePublicKey(line) === undefined)) throw noTicket();
    config.IPAddress = ticket.address;
    config.SSHPort = ticket.port;
    config.SSHUser = ticket.user;
    config.HostKeys = [...ticket.hostKeys];
    config.Until = ticket.until;
    config.Mode = ticket.mode;
    this.#ticketKey = ticket.guestKey;
    config.SSHKeyPath = (await this.#ownKey(ticket.guestKey)) ?? "";
  }

  /** The pair that `share request` made; a key of the agent is found there by the SSH client. */
  async #ownKey(fingerprint: string): Promise<string | undefined> {
    const [{ guestKeyFile }, { fingerprintOf, parsePublicKey }, { readFileIfExists }] = await Promise.all([
      import("../../driver-kit/share-ticket.ts"),
      import("../../ssh/public-key.ts"),
      import("../../system/files.ts"),
    ]);
    const file = guestKeyFile(this.context.storePath);
    const own = parsePublicKey((await readFileIfExists(`${file}.pub`))?.toString("utf8") ?? "");
    return own !== undefined && fingerprintOf(own) === fingerprint ? file : undefined;
  }

  override async preCreateCheck(): Promise<void> {
    if (!this.#isOver()) return;
    throw new MachineError("machine-state", `The ticket was good until ${this.config.Until}`, {
      hint: "Ask the owner of the machine to share it anew.",
    });
  }

  async create(): Promise<void> {
    if (this.config.SSHKeyPath !== "") return;
    const sentence = `The ticket is for the key ${this.#ticketKey}, which is not the one of share request here`;
    logTo(this.context.report, "warn", `${sentence}: your ssh agent must hold it`);
  }

  /** The machine is the owner's, and so is the guest's key there. */
  async remove(): Promise<void> {}

  async hostKeys(): Promise<readonly string[]> {
    return this.config.HostKeys;
  }

  async getState(): Promise<MachineState> {
    return this.#isOver() ? "Error" : "Running";
  }

  /** The engine has no port for guests. */
  async getUrl(): Promise<string> {
    return "";
  }

  async start(): Promise<void> {
    this.unsupported(this.#owners("start"));
  }

  async stop(): Promise<void> {
    this.unsupported(this.#owners("stop"));
  }

  async kill(): Promise<void> {
    this.unsupported(this.#owners("kill"));
  }

  async restart(): Promise<void> {
    this.unsupported(this.#owners("restart"));
  }

  #owners(verb: string): string {
    return `"${this.context.machineName}" is shared with you: to ${verb} it is for its owner`;
  }

  #isOver(): boolean {
    return Date.parse(this.config.Until) <= this.context.clock.now().getTime();
  }
}

export const driverModule: DriverModule = {
  name: "shared",
  summary: "A machine of somebody else who shares it, by a ticket",
  flags: [{ kind: "string", name: "shared-ticket", usage: "What the owner's docker-machine share printed" }],
  capabilities: {
    provisionable: false,
    adopted: true,
    lifecycle: { start: false, stop: false, kill: false, restart: false },
    parallelCreate: true,
    perNameFlags: ["shared-ticket"],
    injectsHostKeys: true,
    tellsStateLocally: true,
    guest: true,
  },
  ownKeys: ["HostKeys", "Until"],
  open: (context, configText) => new SharedDriver(context, configText),
};
