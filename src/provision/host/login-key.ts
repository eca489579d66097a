/** A key by which a host is logged in to, beside those that are there. */
import type { ShellText } from "../shell/shell-text.ts";
import { defaultBounds, type ProvisionContext } from "../provision-context.ts";
import { failureOf } from "../scripts/script-failure.ts";
import { addLoginKeyScript, removeLoginKeyScript } from "../scripts/login-key-script.ts";
import { HostShell } from "./host-shell.ts";

/** For the user who logs in. @param publicKey one line. Throws `remote-command` where the host did not take it. */
export async function addLoginKey(context: ProvisionContext, label: string, publicKey: string): Promise<void> {
  await asUser(context, label, addLoginKeyScript(publicKey, label));
}

/** Nothing where it is gone already. Throws as {@link addLoginKey} does. */
export async function removeLoginKey(context: ProvisionContext, label: string, publicKey: string): Promise<void> {
  await asUser(context, label, removeLoginKeyScript(publicKey, label));
}

async function asUser(context: ProvisionContext, label: string, script: ShellText): Promise<void> {
  const { probeMs } = { ...defaultBounds, ...context.bounds };
  const answer = await new HostShell(label, context).runAsUser(script, { timeoutMs: probeMs });
  if (answer.status !== 0 || !answer.ended) throw failureOf(answer, label);
}
