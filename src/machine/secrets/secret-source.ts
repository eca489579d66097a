/**
 * Where a secret is kept when it is given by reference: in the environment, in a file, behind a command (a password
 * manager), in the keychain of the operating system. Each reference is asked once in a run.
 */
import * as path from "node:path";
import { isMachineError, MachineError, messageOf } from "../../errors/machine-error.ts";
import { readFileIfExists } from "../../system/files.ts";
import type { Computer, OsName } from "../../system/computer.ts";
import { lastLineOf } from "../../system/last-line.ts";
import type { ProcessRunner } from "../../system/process.ts";

/** A value as it was given for a secret flag: the secret itself, or where it is. */
export type SecretOrigin = { readonly value: string } | { readonly reference: string };

const kinds = ["env", "file", "cmd", "keychain"] as const;
type Kind = (typeof kinds)[number];

/**
 * Reads `env:NAME`, `file:PATH`, `cmd:COMMAND`, `keychain:SERVICE[/ACCOUNT]` as references, `value:TEXT` as the text
 * itself, and all else as a secret. Paths become absolute: other commands run elsewhere.
 */
export function parseOrigin(given: string, computer: Pick<Computer, "cwd" | "homeDir">): SecretOrigin {
  if (given.startsWith("value:")) return { value: given.slice("value:".length) };
  const [kind, rest] = splitReference(given);
  if (kind === undefined || rest === "") return { value: given };
  return { reference: kind === "file" ? `file:${absolute(rest, computer)}` : given };
}

function splitReference(text: string): [kind: Kind | undefined, rest: string] {
  const kind = kinds.find((candidate) => text.startsWith(`${candidate}:`));
  return [kind, kind === undefined ? text : text.slice(kind.length + 1)];
}

function absolute(file: string, { cwd, homeDir }: Pick<Computer, "cwd" | "homeDir">): string {
  if (homeDir !== undefined && file.startsWith("~/")) return path.join(homeDir, file.slice(2));
  return path.resolve(cwd, file);
}

export interface SecretSourceContext {
  readonly computer: Computer;
  readonly processes: Pick<ProcessRunner, "run">;
  /** Bound on a command or a keychain. */
  readonly timeoutMs: number;
}

export class SecretSource {
  readonly #context: SecretSourceContext;
  readonly #known = new Map<string, Promise<string>>();

  constructor(context: SecretSourceContext) {
    this.#context = context;
  }

  /** Throws `secret-unavailable`. */
  async resolve(reference: string): Promise<string> {
    const asked = this.#known.get(reference) ?? this.#fetch(reference);
    this.#known.set(reference, asked);
    return await asked;
  }

  async #fetch(reference: string): Promise<string> {
    const [kind, rest] = splitReference(reference);
    if (kind === undefined) throw unavailable(reference, "is no reference that this version knows");
    const secret = (await this.#read(kind, rest, reference)).replace(/(?:\r?\n)+$/u, "");
    if (secret === "") throw unavailable(reference, "is empty");
    return secret;
  }

  async #read(kind: Kind, rest: string, reference: string): Promise<string> {
    const { env, os } = this.#context.computer;
    switch (kind) {
      case "env":
        return env[rest] ?? fail(unavailable(reference, "is not set"));
      case "file":
        return (await readFileIfExists(rest))?.toString("utf8") ?? fail(unavailable(reference, "does not exist"));
      case "cmd":
        return await this.#run(reference, os === "windows" ? ["cmd", "/d", "/s", "/c", rest] : ["sh", "-c", rest]);
      case "keychain":
        return await this.#run(
          reference,
          keychainQuery(os, rest) ?? fail(unavailable(reference, "cannot be read: this system's keychain has no program for it")),
        );
    }
  }

  async #run(reference: string, [program = "", ...args]: readonly string[]): Promise<string> {
    try {
      const { status, stdout, stderr } = await this.#context.processes.run(program, args, { timeoutMs: this.#context.timeoutMs });
      if (status === 0) return stdout.toString("utf8");
      throw unavailable(reference, `failed with status ${status}${reasonIn(stderr)}`);
    } catch (error) {
      if (isMachineError(error, "secret-unavailable")) throw error;
      throw unavailable(reference, `failed: ${messageOf(error)}`, error);
    }
  }
}

/** The programs that print a password, by operating system. */
function keychainQuery(os: OsName, entry: string): readonly string[] | undefined {
  const [service = "", account] = entry.split("/");
  const queries: Partial<Record<OsName, readonly string[]>> = {
    darwin: ["security", "find-generic-password", "-w", "-s", service, ...(account === undefined ? [] : ["-a", account])],
    linux: ["secret-tool", "lookup", "service", service, ...(account === undefined ? [] : ["account", account])],
  };
  return queries[os];
}

function reasonIn(stderr: Buffer): string {
  const line = lastLineOf(stderr);
  return line === "" ? "" : `: ${line}`;
}

function unavailable(reference: string, complaint: string, cause?: unknown): MachineError {
  return new MachineError("secret-unavailable", `The secret ${reference} ${complaint}`, {
    cause,
    hint: "Make it available there, or name another place.",
  });
}

function fail(error: MachineError): never {
  throw error;
}
