/** `store push NAME...`: machines of this store become the team's, as they are here. */
import { isMachineError } from "../../errors/machine-error.ts";
import { hasFormerAuthority, takeStoreAuthority, wantsStoreCertificate } from "../../machine/certificates.ts";
import { giveOwnKey, lacksOwnKey } from "../../machine/host/own-key.ts";
import { logTo } from "../../log/event.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import type { TeamStore } from "../../team/team-store.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { workOnNamed } from "../named-machines.ts";
import { openContext } from "../open-context.ts";
import { isConfirmed, selectedNames } from "../selection/select-machines.ts";
import { openTeamStoreOf } from "../team-context.ts";

/** What is done on machines before the team has them, by name. */
interface Preparations {
  /** They are logged in to by a key of the user's, and get one of their own. */
  readonly keyless: readonly string[];
  /** They go on with the authority that this store had before it joined. */
  readonly former: readonly string[];
  /** Those of them whose engines get a certificate of the team's. */
  readonly restarted: readonly string[];
}

export async function run(invocation: Invocation, context: CliContext): Promise<void> {
  const { store, request } = await openTeamStoreOf(context);
  const machines = openContext(context);
  const names = await selectedNames(machines, invocation, context);
  const preparations = await preparationsOf(names, store, machines, invocation.options.bool("keep-keys"));
  const { keyless, former, restarted } = preparations;
  if (keyless.length + restarted.length > 0 && !invocation.options.bool("y")) {
    for (const sentence of sentencesOf(preparations)) logTo(context.report, "info", sentence);
    if (!(await isConfirmed("Push?", "push", context))) return;
  }
  await workOnNamed(
    context,
    names,
    async (machineContext, name) => {
      if (keyless.includes(name)) await giveOwnKey(machineContext, name, context.signal);
      if (former.includes(name)) await takeStoreAuthority(machineContext, name, context.signal);
      await store.push(name, request(`store push ${name}`));
    },
    (_, name) => `The team has "${name}" as it is here`,
  );
}

function sentencesOf({ keyless, restarted }: Preparations): string[] {
  const sentences: string[] = [];
  if (keyless.length > 0) {
    const what = `${keyless.join(", ")} ${keyless.length === 1 ? "gets a key pair of its own, which the team has" : "get key pairs of their own, which the team has"}`;
    const where =
      "a line in authorized_keys there, which rm --restore takes out again. Your own key stays here, and its copy goes from this store";
    sentences.push(`${what}: ${where}.`);
  }
  if (restarted.length > 0) {
    const what = restarted.length === 1 ? "gets a certificate" : "get certificates";
    const how = "the engine is restarted for it, and containers keep running where it allows that";
    sentences.push(`${restarted.join(", ")} ${what} of the team's authority: ${how}.`);
  }
  return sentences;
}

/** Of those that can be pushed: what the others lack is said by the attempt. */
async function preparationsOf(
  names: readonly string[],
  store: TeamStore,
  machines: MachineContext,
  keepKeys: boolean,
): Promise<Preparations> {
  const [keyless, former, restarted]: [string[], string[], string[]] = [[], [], []];
  for (const name of names) {
    if (!(await isPushable(store, name))) continue;
    if (!keepKeys && (await lacksOwnKey(machines, name))) keyless.push(name);
    if (!(await hasFormerAuthority(machines, name))) continue;
    former.push(name);
    if (await wantsStoreCertificate(machines, name)) restarted.push(name);
  }
  return { keyless, former, restarted };
}

async function isPushable(store: TeamStore, name: string): Promise<boolean> {
  try {
    await store.requirePushable(name);
    return true;
  } catch (error) {
    if (isMachineError(error)) return false;
    throw error;
  }
}
