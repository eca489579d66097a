/**
 * Short scripts on a machine, whatever shell its user has: they reach `sh` by standard input, and root's rights are got
 * in the way that the machine gives them: root itself, sudo with or without a password, doas.
 */
import { MachineError } from "../errors/machine-error.ts";
import type { SshExecutor, SshResult } from "./executor.ts";

export interface ScriptOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface RootScriptOptions extends ScriptOptions {
  /** How messages name the machine. */
  readonly label: string;
  /** The recorded sudo password; asked for only where sudo wants one. Undefined = none is recorded. */
  readonly password: () => Promise<string | undefined>;
}

/** Words that every shell reads alike: fish, csh and their like know no `if … then … fi`. */
const readScript = "sh -s";

/** As the user who logs in. A status other than 0 is no error. */
export async function runScript(ssh: SshExecutor, script: string, options: ScriptOptions): Promise<SshResult> {
  return await ssh.run(readScript, { stdin: `${script}\n`, ...options });
}

const commands = {
  root: readScript,
  sudo: `sudo -k -n ${readScript}`,
  password: `sudo -k -S -p '' ${readScript}`,
  doas: `doas -n ${readScript}`,
} as const;

const lookForWay = `
LC_ALL=C; export LC_ALL
way() { printf '\\n@way\\t%s\\t%s\\n' "$1" "$2"; exit 0; }
[ "$(id -u)" != 0 ] || way root
if command -v sudo > /dev/null 2>&1; then
  answer=$(sudo -k -n sh -c : 2>&1) && way sudo
  case $answer in *assword*|*authentication*) way password ;; *) way none "$(printf '%s' "$answer" | tr '\\n' ' ')" ;; esac
fi
command -v doas > /dev/null 2>&1 && doas -n true 2> /dev/null && way doas
way none "neither sudo nor doas is installed"`;

/** As root. A status other than 0 is no error; throws `sudo-required` where root's rights cannot be had. */
export async function runRootScript(ssh: SshExecutor, script: string, options: RootScriptOptions): Promise<SshResult> {
  const { label, timeoutMs, signal } = options;
  const look = (await runScript(ssh, lookForWay, { timeoutMs, signal })).stdout.toString("utf8");
  const [, way = "none", words = ""] = /^@way\t(\w+)\t(.*)$/mu.exec(look) ?? [];
  if (way === "root" || way === "sudo" || way === "doas") {
    return await ssh.run(commands[way], { stdin: `${script}\n`, timeoutMs, signal });
  }
  if (way !== "password") throw noRights(label, words.trim());
  const password = await options.password();
  if (password === undefined) throw noPassword(label);
  const result = await ssh.run(commands.password, { stdin: `${password}\n${script}\n`, timeoutMs, signal });
  if (result.status === 1 && /incorrect password|try again|no password was provided/u.test(result.stderr.toString("utf8"))) {
    throw new MachineError("sudo-required", `sudo on "${label}" did not accept the recorded password`, {
      hint: "Put the right one into the file that was named with --generic-sudo-password-file.",
    });
  }
  return result;
}

function noRights(label: string, words: string): MachineError {
  return new MachineError(
    "sudo-required",
    `The user on "${label}" is not root and cannot become it: ${words || "it runs no shell commands"}`,
    { hint: "Log in as root, or install sudo there and allow the user to use it." },
  );
}

function noPassword(label: string): MachineError {
  return new MachineError("sudo-required", `sudo on "${label}" asks for a password, and none is recorded`, {
    hint: `Allow sudo without a password (NOPASSWD) there, or do it by hand: docker-machine ssh ${label} -t sudo reboot`,
  });
}
