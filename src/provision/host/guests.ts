/** Who else may use the engine of a host. The host itself is asked: what it says is the truth, whoever shared it. */
import { changingFunctions } from "../shell/changing.ts";
import { answering, scriptPrelude } from "../shell/script-protocol.ts";
import { joinLines, type ShellText } from "../shell/shell-text.ts";
import { HostSession } from "./host-session.ts";
import type { ProvisionContext } from "../provision-context.ts";
import type { ProvisionRequest } from "../provision-request.ts";
import type { RawFacts } from "../facts/parse-facts.ts";
import { listGuestsScript, shareScript, unshareScript, type Grant } from "../scripts/guests-script.ts";

export interface Guest {
  readonly person: string;
  readonly until: Date;
  readonly mode: string;
  /** `SHA256:…` */
  readonly fingerprint: string;
  readonly since: Date;
  /** Streams and shells that are open now. */
  readonly sessions: number;
}

/** Lets a guest in, or gives one who is there another key or time. Throws `driver-unsupported` where the SSH server cannot. */
export async function shareHost(request: ProvisionRequest, context: ProvisionContext, grant: Grant): Promise<readonly Guest[]> {
  return await onHost(request, context, shareScript(grant));
}

export async function listGuests(request: ProvisionRequest, context: ProvisionContext): Promise<readonly Guest[]> {
  return await onHost(request, context, listGuestsScript());
}

/** Ends guests and what they have open. Throws `machine-state` for one who is none. */
export async function unshareHost(
  request: ProvisionRequest,
  context: ProvisionContext,
  persons: readonly string[],
): Promise<readonly Guest[]> {
  return await onHost(request, context, unshareScript(persons));
}

async function onHost(request: ProvisionRequest, context: ProvisionContext, script: ShellText): Promise<readonly Guest[]> {
  const session = await HostSession.open(request, context, false);
  const functions = changingFunctions({
    record: request.adopted,
    label: request.machineName,
    packageLockSeconds: 0,
    mayRemove: false,
    ...session.ownership(),
  });
  const whole = joinLines(scriptPrelude, answering, functions, script);
  const { facts } = await session.shell.runAsRoot(whole, { timeoutMs: session.bounds.configureMs });
  return guestsIn(facts);
}

function guestsIn(facts: RawFacts): readonly Guest[] {
  return facts.all("guest").flatMap((line) => {
    const [person, until, mode, fingerprint, since, sessions] = line.split(" ");
    if (person === undefined || mode === undefined || fingerprint === undefined) return [];
    return [{ person, mode, fingerprint, until: atSecond(until), since: atSecond(since), sessions: Number(sessions ?? 0) }];
  });
}

function atSecond(text: string | undefined): Date {
  return new Date(Number(text) * 1_000);
}
