/**
 * The secrets of one machine: in memory beside its driver, on disk in `secrets.json` (0600) in its folder, and never in
 * config.json, where marks stand for them. A secret that was given by reference is not stored at all, only where it is.
 * With MACHINE_COMPAT=0.16 new secrets stay in config.json, where 0.16.2 looks for them.
 */
import * as path from "node:path";
import { overlayOptions, type CreateFlag, type DriverOptions, type FlagValue } from "../../driver-kit/create-flag.ts";
import type { DriverModule } from "../../driver-kit/driver.ts";
import { MachineError } from "../../errors/machine-error.ts";
import type { Redactor } from "../../log/redact.ts";
import { isSecretName } from "../../log/secret-names.ts";
import { readRegularFileIfExists, removeFile, writeFileAtomic } from "../../system/files.ts";
import type { Computer } from "../../system/computer.ts";
import { conceal, isNamedLike, markOf, marksIn, reveal, revealValue } from "./conceal.ts";
import { parseOrigin, type SecretOrigin, type SecretSource } from "./secret-source.ts";

export const vaultFileName = "secrets.json";
const vaultMode = 0o600;

export interface VaultContext {
  readonly computer: Computer;
  readonly redactor: Redactor;
  readonly secrets: SecretSource;
}

/** What is to be known of a driver that takes secrets. */
export type SecretTaker = Pick<DriverModule, "flags" | "capabilities">;

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

  /** Where a secret is; undefined for one that is kept here, and for none. */
  referenceOf(name: string): string | undefined {
    const origin = this.#secrets.get(name)?.origin;
    return origin !== undefined && "reference" in origin ? origin.reference : undefined;
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
      secret.value = await this.#context.secrets.resolve(secret.origin.reference).catch(async (error: unknown) => {
        throw (await import("./lost-secret.ts")).ofMachine(error, this.#file, name);
      });
      this.#context.redactor.add(secret.value);
    }
  }

  /**
   * The create flags with marks in place of what is secret among them, which is remembered; a driver of others gets the
   * secrets themselves. What came out of a variable is kept as the reference to it. Throws `secret-unavailable`.
   */
  async takeOptions(options: DriverOptions, { flags, capabilities }: SecretTaker): Promise<DriverOptions> {
    if (this.isCompat) return options;
    const isOpaque = capabilities.opaque === true;
    const said = new Map(flags.map((flag) => [flag.name, flag.secret]));
    const given = Object.entries(options.all()).filter(([name]) => said.get(name) ?? isSecretName(name));
    const replaced: Record<string, FlagValue> = {};
    for (const [name, value] of given) {
      const variable = isOpaque ? undefined : options.variableOf(name);
      const take = async (secretName: string, text: string): Promise<string> => {
        const secret = await this.#take(secretName, text, typeof value === "string" ? variable : undefined);
        return isOpaque ? secret : markOf(secretName);
      };
      if (typeof value === "string" && value !== "") replaced[name] = await take(name, value);
      else if (Array.isArray(value))
        replaced[name] = await Promise.all(
          (value as readonly string[]).map(async (each, index) => await take(`${name}.${index}`, each)),
        );
    }
    // A mark is where its secret is from: a driver may leave to a variable what is the variable's.
    return { ...overlayOptions(options, replaced), variableOf: (name) => options.variableOf(name) };
  }

  async #take(name: string, given: string, variable: string | undefined): Promise<string> {
    const parsed = parseOrigin(given, this.#context.computer);
    this.set(name, "value" in parsed && variable !== undefined ? { reference: `env:${variable}` } : parsed);
    const secret = this.#secrets.get(name) as Secret;
    secret.value = "value" in parsed ? parsed.value : await this.#context.secrets.resolve(parsed.reference);
    this.#context.redactor.add(secret.value);
    return secret.value;
  }

  /** A driver's configuration as it may be stored. Fields of flags that are no secrets, though named so, stay open. */
  conceal(configText: string, flags: readonly CreateFlag[] = []): string {
    if (this.isCompat) return configText;
    const openFlags = flags.filter(({ secret }) => secret === false);
    const isOpen = (field: string): boolean => openFlags.some(({ name }) => isNamedLike(name, field));
    const { text, found } = conceal(configText, this.values(), this.#secrets.keys(), isOpen);
    for (const [name, value] of found) this.set(name, { value });
    return text;
  }

  /** Remembers a value that may be there under this name already; another value under the same name gets a number. */
  keep(name: string, value: string): string {
    for (let number = 1; ; number += 1) {
      const numbered = number === 1 ? name : `${name}-${number}`;
      const known = this.#secrets.get(numbered);
      if (known !== undefined && known.value !== value) continue;
      if (known === undefined) this.set(numbered, { value });
      return numbered;
    }
  }

  /** A text with marks as it is to be stored now: with MACHINE_COMPAT=0.16 the secrets themselves. */
  restate(text: string): string {
    return this.isCompat ? this.reveal(text) : text;
  }

  /** A stored text as a driver needs it, or with `--show-secrets` the user. What is not resolved stays a mark. */
  reveal(text: string): string {
    return reveal(text, this.values());
  }

  /** The value of one field, for a request that is about to be made. Throws `secret-unavailable`, also for what was lost. */
  async revealValue(value: string): Promise<string> {
    const lost = [...marksIn(value)].find((name) => !this.#secrets.has(name));
    if (lost !== undefined)
      throw new MachineError("secret-unavailable", `The secret ${lost} is not in ${this.#file}`, {
        hint: `Give it anew with: docker-machine config set ${path.basename(path.dirname(this.#file))} ${lost}=VALUE`,
      });
    await this.resolve(value);
    return revealValue(value, this.values());
  }

  /** Those that are known, by their names. */
  values(): Map<string, string> {
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

  /** With MACHINE_COMPAT=0.16 secrets stay where 0.16.2 looks for them. */
  get isCompat(): boolean {
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
