/**
 * The secrets of one machine: in memory beside its driver, on disk in `secrets.json` (0600) in its folder, and never in
 * config.json, where marks stand for them. A secret that was given by reference is not stored at all, only where it is.
 * With MACHINE_COMPAT=0.16 new secrets stay in config.json, where 0.16.2 looks for them.
 */
import * as path from "node:path";
import { overlayOptions, type CreateFlag, type DriverOptions, type FlagValue } from "../../driver-kit/create-flag.ts";
import { MachineError } from "../../errors/machine-error.ts";
import type { Redactor } from "../../log/redact.ts";
import { isSecretName } from "../../log/secret-names.ts";
import { readRegularFileIfExists, removeFile, writeFileAtomic } from "../../system/files.ts";
import type { Computer } from "../../system/computer.ts";
import { conceal, marksIn, reveal } from "./conceal.ts";
import { parseOrigin, type SecretOrigin, type SecretSource } from "./secret-source.ts";

export const vaultFileName = "secrets.json";
const vaultMode = 0o600;

export interface VaultContext {
  readonly computer: Computer;
  readonly redactor: Redactor;
  readonly secrets: SecretSource;
}

interface Secret {
  readonly origin: SecretOrigin;
  /** Undefined while a reference was not followed. */
  value: string | undefined;
}

export class Vault {
  readonly #context: VaultContext;
  readonly #file: string;
  readonly #secrets = new Map<string, Secret>();
  #stored: string | undefined;

  private constructor(context: VaultContext, machineDir: string, stored: string | undefined) {
    this.#context = context;
    this.#file = path.join(machineDir, vaultFileName);
    this.#stored = stored;
    for (const [name, origin] of Object.entries(parseVault(stored, this.#file))) this.set(name, origin);
  }

  /** The vault of a machine that is about to be created. */
  static empty(context: VaultContext, machineDir: string): Vault {
    return new Vault(context, machineDir, undefined);
  }

  /** Throws `record-unreadable`. Without a file it is empty. */
  static async load(context: VaultContext, machineDir: string): Promise<Vault> {
    const bytes = await readRegularFileIfExists(path.join(machineDir, vaultFileName));
    return new Vault(context, machineDir, bytes?.toString("utf8"));
  }

  get names(): readonly string[] {
    return [...this.#secrets.keys()];
  }

  /** Whether every secret that a text has a mark of is here, by value or by reference. */
  has(text: string): boolean {
    return [...marksIn(text)].every((name) => this.#secrets.has(name));
  }

  /** Whether the value of every secret that a text has a mark of is known. */
  isResolved(text: string): boolean {
    return [...marksIn(text)].every((name) => this.#secrets.get(name)?.value !== undefined || !this.#secrets.has(name));
  }

  set(name: string, origin: SecretOrigin): void {
    const value = "value" in origin ? origin.value : undefined;
    this.#secrets.set(name, { origin, value });
    this.#context.redactor.add(value);
  }

  /** Follows the references whose marks a text has. Throws `secret-unavailable`. */
  async resolve(text: string): Promise<void> {
    const needed = marksIn(text);
    for (const [name, secret] of this.#secrets) {
      if (secret.value !== undefined || "value" in secret.origin || !needed.has(name)) continue;
      secret.value = await this.#context.secrets.resolve(secret.origin.reference);
      this.#context.redactor.add(secret.value);
    }
  }

  /**
   * The create flags with the secrets themselves in place of references; what is secret among them is remembered.
   * @param flags the driver's, as far as they are known. Throws `secret-unavailable`.
   */
  async takeOptions(options: DriverOptions, flags: readonly CreateFlag[]): Promise<DriverOptions> {
    if (this.#isCompat) return options;
    const marked = new Set(flags.filter((flag) => flag.secret === true).map((flag) => flag.name));
    const given = Object.entries(options.all()).filter(([name]) => marked.has(name) || isSecretName(name));
    const replaced: Record<string, FlagValue> = {};
    for (const [name, value] of given) replaced[name] = await this.#take(name, value);
    return overlayOptions(options, replaced);
  }

  async #take(name: string, given: FlagValue): Promise<FlagValue> {
    if (typeof given === "string") return given === "" ? given : await this.#takeOne(name, given);
    if (!Array.isArray(given)) return given;
    return await Promise.all(
      (given as readonly string[]).map(async (each, index) => await this.#takeOne(`${name}.${index}`, each)),
    );
  }

  async #takeOne(name: string, given: string): Promise<string> {
    const origin = parseOrigin(given, this.#context.computer);
    this.set(name, origin);
    const secret = this.#secrets.get(name) as Secret;
    if (!("value" in origin)) secret.value = await this.#context.secrets.resolve(origin.reference);
    this.#context.redactor.add(secret.value);
    return secret.value ?? "";
  }

  /** A driver's configuration as it may be stored. */
  conceal(configText: string): string {
    if (this.#isCompat) return configText;
    const { text, found } = conceal(configText, this.#values(), this.#secrets.keys());
    for (const [name, value] of found) this.set(name, { value });
    return text;
  }

  /** A text with marks as it is to be stored now: with MACHINE_COMPAT=0.16 the secrets themselves. */
  restate(text: string): string {
    return this.#isCompat ? this.reveal(text) : text;
  }

  /** A stored text as a driver needs it, or with `--show-secrets` the user. What is not resolved stays a mark. */
  reveal(text: string): string {
    return reveal(text, this.#values());
  }

  #values(): Map<string, string> {
    return new Map([...this.#secrets].flatMap(([name, { value }]) => (value === undefined ? [] : [[name, value] as const])));
  }

  /** The file's text for a configuration with marks: only what is marked there; undefined when that is nothing. */
  fileText(configText: string): string | undefined {
    const marked = marksIn(configText);
    const secrets = [...this.#secrets].filter(([name]) => marked.has(name)).map(([name, { origin }]) => [name, origin] as const);
    return secrets.length === 0
      ? undefined
      : `${JSON.stringify({ version: 1, secrets: Object.fromEntries(secrets) }, undefined, 4)}\n`;
  }

  /** Saves the secrets together with the configuration that has their marks: what a mark stands for is always there. */
  async saveAround(configText: string, saveConfig: () => Promise<void>): Promise<void> {
    const text = this.fileText(configText);
    if (text !== undefined && text !== this.#stored) await writeFileAtomic(this.#file, text, vaultMode);
    await saveConfig();
    if (text === undefined && this.#stored !== undefined) await removeFile(this.#file);
    this.#stored = text;
  }

  get #isCompat(): boolean {
    return this.#context.computer.env["MACHINE_COMPAT"] === "0.16";
  }
}

function parseVault(text: string | undefined, file: string): Readonly<Record<string, SecretOrigin>> {
  if (text === undefined) return {};
  try {
    const { version, secrets } = JSON.parse(text) as { version?: unknown; secrets?: Record<string, SecretOrigin> };
    if (version === 1 && typeof secrets === "object") return secrets;
    throw new Error(`version ${JSON.stringify(version)} is not known`);
  } catch (error) {
    throw new MachineError("record-unreadable", `${file} cannot be read`, {
      cause: error,
      hint: "It holds the machine's secrets. Restore it from a backup, or give them anew with: docker-machine config set NAME FLAG=VALUE",
    });
  }
}
