/**
 * What drivers that make machines at a provider share: the engine's address from the record, the public host keys that
 * were injected, the ledger of what was made. A driver adds its requests.
 */
import { newBaseConfig, type BaseConfig } from "./base-config.ts";
import { BuiltinDriver, engineUrl, type Upgrade } from "./builtin-driver.ts";
import type { DriverContext } from "./driver.ts";
import { defaultEnginePort } from "../engine/engine-address.ts";
import { Ledger } from "./ledger.ts";

/** Stored behind a driver's own fields. */
export interface ProviderConfig extends BaseConfig {
  /** What was made, see {@link Ledger}. */
  Resources: string[];
  /** Public host keys of the instance as `TYPE BASE64`; empty = it takes none from us, or is of another tool. */
  HostKeys: string[];
}

export abstract class ProviderDriver<Config extends ProviderConfig> extends BuiltinDriver<Config> {
  /** What this create has made. */
  protected readonly ledger: Ledger;

  /**
   * @param own the driver's own fields with their defaults, in the order they are stored
   * @param upgrade makes a record of an older kind one of ours, before it is read
   */
  constructor(
    context: DriverContext,
    own: Omit<Config, keyof ProviderConfig> & Partial<Config>,
    configText: string | undefined,
    upgrade?: Upgrade,
  ) {
    const base = newBaseConfig(context.machineName, context.storePath);
    super(context, { ...base, ...own, Resources: [], HostKeys: [] } as unknown as Config, configText, upgrade);
    this.ledger = new Ledger(this.config.Resources, context.save);
  }

  async getUrl(): Promise<string> {
    const address = await this.getIp();
    return address === "" ? "" : engineUrl(address, defaultEnginePort);
  }

  async hostKeys(): Promise<readonly string[] | "none"> {
    return this.config.HostKeys.length === 0 ? "none" : this.config.HostKeys;
  }
}
