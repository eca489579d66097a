/**
 * What `env` prints: the lines that set or unset variables in the user's shell, and the comment that says how to run
 * them. Pure text. Ordinary values give 0.16.2's lines to the letter; values that would mean something to the shell,
 * or that its `eval` of unquoted output would tear apart, arrive unchanged all the same.
 */
import { MachineError } from "../../errors/machine-error.ts";
import type { Computer } from "../../system/computer.ts";
import { shellSyntaxes, type ShellSyntax } from "./shell-syntax.ts";

/** A variable to set, or with no value to unset. */
export interface ShellVariable {
  readonly name: string;
  readonly value?: string | undefined;
}

/** What a Docker client needs to reach a machine. */
export interface MachineConnection {
  readonly machineName: string;
  /** `tcp://HOST:PORT` of the engine or, with `--swarm`, of the swarm master. */
  readonly url: string;
  /** Folder of the client's certificates. */
  readonly certPath: string;
}

const connectionNames = ["DOCKER_TLS_VERIFY", "DOCKER_HOST", "DOCKER_CERT_PATH", "DOCKER_MACHINE_NAME"] as const;

/** The variables of `env NAME`, in 0.16.2's order. */
export function connectionVariables(connection: MachineConnection, computer: Pick<Computer, "os">): ShellVariable[] {
  const values = ["1", connection.url, connection.certPath, connection.machineName];
  const variables = connectionNames.map((name, index) => ({ name, value: values[index] }));
  return computer.os === "windows" ? [...variables, { name: "COMPOSE_CONVERT_WINDOWS_PATHS", value: "true" }] : variables;
}

/** The variables of an engine that is reached over SSH alone: docker's client opens that by an entry of ssh_config. */
export function overSshVariables(machineName: string, alias: string): ShellVariable[] {
  const values: Readonly<Record<string, string>> = { DOCKER_HOST: `ssh://${alias}`, DOCKER_MACHINE_NAME: machineName };
  return connectionNames.map((name) => ({ name, value: values[name] }));
}

/** The variables of `env -u`. */
export function unsetVariables(): ShellVariable[] {
  return connectionNames.map((name) => ({ name }));
}

/**
 * The variables of `--no-proxy`: those that are in use, each with the address in its list, once. Clients differ in which of
 * two they take; 0.16.2 gives the one in lower case alone.
 */
export function noProxyVariables({ env }: Pick<Computer, "env">, address: string, compat: boolean): ShellVariable[] {
  return noProxyNames(env, compat).map((name) => {
    const value = env[name] ?? "";
    const isListed = address === "" || value.split(/[\s,]+/u).includes(address);
    return { name, value: isListed ? value : value.trim() === "" ? address : `${value},${address}` };
  });
}

/** The variables of `-u --no-proxy`. */
export function unsetNoProxyVariables({ env }: Pick<Computer, "env">, compat: boolean): ShellVariable[] {
  return noProxyNames(env, compat).map((name) => ({ name }));
}

function noProxyNames(env: Computer["env"], compat: boolean): readonly string[] {
  const used = ["no_proxy", "NO_PROXY"].filter((name) => (env[name] ?? "") !== "");
  return used.length === 0 ? ["NO_PROXY"] : compat ? used.slice(0, 1) : used;
}

/**
 * The whole output of `env`.
 * @param shell as given by `--shell` or found by {@link detectShell}; any word that is no known shell means sh
 * @param commandLine the command line as typed, program first, for the comment
 * Throws `usage` for a value that the shell cannot hold (a line break in cmd or tcsh).
 */
export function renderShellEnv(shell: string, variables: readonly ShellVariable[], commandLine: readonly string[]): string {
  const syntax = syntaxOf(shell);
  const lines = variables.map(({ name, value }) => (value === undefined ? syntax.unset(name) : setLine(syntax, name, value)));
  const command = commandText(syntax, commandLine);
  const comment = [`${syntax.comment} Run this command to configure your shell: `, `${syntax.comment} ${syntax.usage(command)}`];
  return [...lines, ...comment].map((line) => `${line}\n`).join("");
}

function setLine(syntax: ShellSyntax, name: string, value: string): string {
  const line = syntax.set(name, value);
  if (line !== undefined) return line;
  throw new MachineError("usage", `The value of ${name} has a line break, which this shell cannot hold in a variable`);
}

function syntaxOf(shell: string): ShellSyntax {
  const word = shell.toLowerCase().replace(/\.exe$/u, "");
  return (Object.hasOwn(shellSyntaxes, word) ? shellSyntaxes[word] : undefined) ?? shellSyntaxes.sh;
}

/** As typed, with quotes where a word needs them; the program's own path in double quotes, as 0.16.2 has it. */
function commandText(syntax: ShellSyntax, [program = "", ...words]: readonly string[]): string {
  const path = /[ \\]/u.test(program) ? `"${program}"` : program;
  return [path, ...words.map(syntax.quoteWord)].join(" ").replaceAll(/[\r\n]+/gu, " ");
}

/**
 * The user's shell: the last part of `$SHELL`, where that is absent (cron, CI, systemd) any that takes POSIX lines. On
 * Windows, where it is set by Unix-like shells only, it is PowerShell when its module path holds folders of the user's
 * own, which PowerShell adds when it starts; else cmd.
 */
export function detectShell({ os, env, homeDir }: Pick<Computer, "os" | "env" | "homeDir">): string {
  const path = env["SHELL"] ?? "";
  if (os === "windows") return path === "" ? windowsShell(env, homeDir) : unixShellOnWindows(path, env);
  return path === "" ? "sh" : path.slice(path.lastIndexOf("/") + 1);
}

function unixShellOnWindows(path: string, env: Computer["env"]): string {
  if ((env["__fish_bin_dir"] ?? "") !== "") return "fish";
  return (path.split(/[\\/]/u).at(-1) ?? "").replace(/\.exe$/iu, "");
}

function windowsShell(env: Computer["env"], homeDir: string | undefined): "powershell" | "cmd" {
  const modulePath = (env["PSModulePath"] ?? "").toLowerCase();
  return homeDir !== undefined && modulePath.includes(homeDir.toLowerCase()) ? "powershell" : "cmd";
}
