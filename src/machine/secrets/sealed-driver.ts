/**
 * A driver whose secrets are fetched when they are first needed. Until then a driver that was opened without them answers
 * what stands in its configuration: `env` and `ls` of a machine that runs ask no password manager.
 */
import type { Driver, PreparedEngine } from "../../driver-kit/driver.ts";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import type { MachineState } from "../../driver-kit/state.ts";

export class SealedDriver implements Driver {
  #current: Driver;
  #opening: Promise<Driver> | undefined;
  readonly #open: () => Promise<Driver>;

  /**
   * @param sealed opened on a configuration with marks in place of secrets
   * @param open fetches the secrets and opens the driver with them; may throw `secret-unavailable`
   */
  constructor(sealed: Driver, open: () => Promise<Driver>) {
    this.#current = sealed;
    this.#open = open;
    // They are absent where the driver lacks them, which callers look at.
    if (sealed.findInstances !== undefined)
      this.findInstances = async (signal) => (await (await this.#opened()).findInstances?.(signal)) ?? [];
    if (sealed.preparedEngine !== undefined) this.preparedEngine = () => this.#current.preparedEngine?.();
    if (sealed.hostKeys !== undefined) this.hostKeys = async () => (await this.#current.hostKeys?.()) ?? [];
  }

  readonly findInstances?: (signal: AbortSignal) => Promise<readonly string[]>;
  readonly preparedEngine?: () => PreparedEngine | undefined;
  readonly hostKeys?: () => Promise<readonly string[]>;

  async #opened(): Promise<Driver> {
    this.#opening ??= this.#open();
    this.#current = await this.#opening;
    return this.#current;
  }

  get driverName(): string {
    return this.#current.driverName;
  }

  get provisionable(): boolean | undefined {
    return this.#current.provisionable;
  }

  get sshConfigHost(): string | undefined {
    return this.#current.sshConfigHost;
  }

  get enginePort(): number | undefined {
    return this.#current.enginePort;
  }

  get sudoPasswordFile(): string | undefined {
    return this.#current.sudoPasswordFile;
  }

  async configText(): Promise<string> {
    return await this.#current.configText();
  }

  async setConfigFromFlags(options: DriverOptions): Promise<void> {
    await (await this.#opened()).setConfigFromFlags(options);
  }

  async preCreateCheck(signal: AbortSignal): Promise<void> {
    await (await this.#opened()).preCreateCheck(signal);
  }

  async create(signal: AbortSignal): Promise<void> {
    await (await this.#opened()).create(signal);
  }

  async remove(signal: AbortSignal): Promise<void> {
    await (await this.#opened()).remove(signal);
  }

  async start(signal: AbortSignal): Promise<void> {
    await (await this.#opened()).start(signal);
  }

  async stop(signal: AbortSignal): Promise<void> {
    await (await this.#opened()).stop(signal);
  }

  async kill(signal: AbortSignal): Promise<void> {
    await (await this.#opened()).kill(signal);
  }

  async restart(signal: AbortSignal): Promise<void> {
    await (await this.#opened()).restart(signal);
  }

  async getState(signal: AbortSignal): Promise<MachineState> {
    return await (await this.#opened()).getState(signal);
  }

  async getIp(): Promise<string> {
    return await this.#current.getIp();
  }

  async getUrl(): Promise<string> {
    return await this.#current.getUrl();
  }

  async getSshHostname(): Promise<string> {
    return await this.#current.getSshHostname();
  }

  async getSshPort(): Promise<number> {
    return await this.#current.getSshPort();
  }

  async getSshUsername(): Promise<string> {
    return await this.#current.getSshUsername();
  }

  async getSshKeyPath(): Promise<string> {
    return await this.#current.getSshKeyPath();
  }

  async close(): Promise<void> {
    await this.#current.close?.();
  }
}
