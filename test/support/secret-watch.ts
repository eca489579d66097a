/** Watches processes, here and on a host of the lab, for secrets in their arguments and environments while work goes on. */
import { randomUUID } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import type { LabHost } from "../lab/lab.ts";

export interface Secrets {
  /** Must be seen in no argument list and no environment. */
  readonly everywhere: readonly string[];
  /** May stand in the environment of a program that was meant to have them; in no argument list. */
  readonly inArguments?: readonly string[];
}

/** Looks again and again until told to stop; prints who showed a secret. Its own patterns come by standard input. */
const watcher = `
sed '/^$/,$d' > /root/patterns.both < /root/patterns
sed '1,/^$/d' < /root/patterns >> /root/patterns.arguments; cat /root/patterns.both >> /root/patterns.arguments
: > /root/watching
while [ ! -e /root/enough ]; do
  { grep -laFf /root/patterns.arguments /proc/[0-9]*/cmdline; grep -laFf /root/patterns.both /proc/[0-9]*/environ; } 2> /dev/null |
    while read -r file; do echo "$file $(tr '\\0' ' ' < "$file" | head -c 200)"; done
done
true`;

/** What was seen on the host while the work went on, one line for each time; "" where nothing was. */
export async function watchHost(host: LabHost, secrets: Secrets, work: () => Promise<void>): Promise<string> {
  const patterns = [...secrets.everywhere, "", ...(secrets.inArguments ?? [])].join("\n");
  const watching = host.sh(`cat > /root/patterns\n${watcher}`, { stdin: `${patterns}\n`, timeoutMs: 120_000 });
  await host.sh("timeout 10 sh -c 'until [ -e /root/watching ]; do sleep 0.05; done'");
  try {
    await work();
  } finally {
    await host.sh(": > /root/enough");
  }
  const seen = await watching;
  await host.sh("rm -f /root/patterns* /root/watching /root/enough");
  return seen;
}

/**
 * What was seen on this computer while the work went on. What somebody typed stands in the arguments of the program they
 * started, and of its children until they become another program: `typed` tells the words.
 */
export async function watchHere(
  secrets: Secrets,
  work: () => Promise<void>,
  typed = (): readonly string[] => [],
): Promise<string[]> {
  const seen = new Set<string>();
  const look = (): void => {
    for (const file of globSync("/proc/[0-9]*/{cmdline,environ}")) {
      const isArguments = file.endsWith("cmdline");
      const patterns = isArguments ? [...secrets.everywhere, ...(secrets.inArguments ?? [])] : secrets.everywhere;
      const text = readIfThere(file);
      if (isArguments && typed().length > 0 && text.endsWith(`\0${typed().join("\0")}\0`)) continue;
      if (patterns.some((secret) => text.includes(secret))) seen.add(`${file} ${text.replaceAll("\0", " ").slice(0, 200)}`);
    }
  };
  const looking = setInterval(look, 20);
  try {
    await work();
    look();
  } finally {
    clearInterval(looking);
  }
  return [...seen];
}

/** The process may have ended. */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** Gives the host's user a password for sudo that no other host has: the lab's own scripts name the usual one, also for other tests. */
export async function renewSudoPassword(host: LabHost): Promise<string> {
  const password = `${randomUUID()} $HOME \`id\` "'`;
  const { status, stderr } = await host.exec("chpasswd", { stdin: `${host.sshUser}:${password}\n` });
  if (status !== 0) throw new Error(`chpasswd: ${stderr}`);
  return password;
}
