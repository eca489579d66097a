/**
 * A reboot that is seen: the box tells apart its boots, so that what is called restarted was. Containers share their
 * computer's boot id; there the start of the first process differs.
 */
import type { DriverContext } from "../../driver-kit/driver.ts";
import { isMachineError, MachineError } from "../../errors/machine-error.ts";
import { runRootScript, runScript } from "../../ssh/root-script.ts";

const answerMs = 30_000;
/** From the accepted reboot until another boot answers; servers check their memory and disks first. */
export const rebootMs = 600_000;
const pollMs = 1_000;

const tellBoot = `printf '\\n@boot\\t%s-%s\\n' "$(cat /proc/sys/kernel/random/boot_id)" "$(cut -d ' ' -f 22 /proc/1/stat)"`;

/** Small systems have no \`shutdown\`, and a user's PATH may lack the folder of either. */
const reboot = `
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export PATH
if command -v shutdown > /dev/null 2>&1; then shutdown -r now; else reboot; fi`;

/** Throws `sudo-required`, `remote-command` where the reboot is refused, `timeout` where no other boot is seen. */
export async function rebootAndWait(
  context: DriverContext,
  password: () => Promise<string | undefined>,
  signal: AbortSignal,
): Promise<void> {
  const before = await requestReboot(context, password, signal);
  const deadline = context.clock.monotonicMs() + rebootMs;
  for (;;) {
    await context.clock.sleep(pollMs, signal);
    const now = await bootOf(context, signal);
    if (now !== undefined && now !== before) return;
    if (context.clock.monotonicMs() > deadline) throw unseen(context.machineName, now !== undefined);
  }
}

async function requestReboot(
  context: DriverContext,
  password: () => Promise<string | undefined>,
  signal: AbortSignal,
): Promise<string> {
  await using ssh = await context.openSsh();
  const before = bootIn((await runScript(ssh, tellBoot, { timeoutMs: answerMs, signal })).stdout);
  try {
    const options = { label: context.machineName, password, timeoutMs: answerMs, signal };
    const { status, stderr } = await runRootScript(ssh, reboot, options);
    // What ends the connection leaves no status of the command.
    if (status !== 0 && status !== 255) {
      const words = stderr.toString("utf8").trim();
      throw new MachineError("remote-command", `"${context.machineName}" did not accept the reboot: ${words}`);
    }
  } catch (error) {
    if (!isMachineError(error, "ssh-closed")) throw error;
  }
  return before ?? "";
}

/** Undefined while the box does not answer, or lets nobody in because it goes down or comes up. */
async function bootOf(context: DriverContext, signal: AbortSignal): Promise<string | undefined> {
  try {
    await using ssh = await context.openSsh();
    return bootIn((await runScript(ssh, tellBoot, { timeoutMs: answerMs, signal })).stdout);
  } catch (error) {
    if (signal.aborted || !isMachineError(error) || error.code === "host-key-mismatch") throw error;
    return undefined;
  }
}

function bootIn(stdout: Buffer): string | undefined {
  return /^@boot\t(.*)$/mu.exec(stdout.toString("utf8"))?.[1];
}

function unseen(name: string, answers: boolean): MachineError {
  const what = answers ? "still runs what it ran before" : "does not answer";
  return new MachineError("timeout", `"${name}" accepted the reboot and ${what} ${rebootMs / 60_000} minutes later`, {
    hint: "Look at its console, or at what keeps it from going down: a service that does not stop, an inhibitor, a snapshot.",
  });
}
