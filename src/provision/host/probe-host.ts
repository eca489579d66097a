/** The first look at a host: facts in one round trip, two where sudo asks for a password. */
import { MachineError } from "../../errors/machine-error.ts";
import type { HostFacts } from "../facts/facts.ts";
import type { ShellText } from "../shell/shell-text.ts";
import type { HostShell } from "./host-shell.ts";
import type { ScriptAnswer } from "../facts/script-answer.ts";
import { factsFrom, type RawFacts } from "../facts/parse-facts.ts";
import { probeScript } from "../facts/probe-script.ts";
import type { ProvisionBounds, ProvisionContext } from "../provision-context.ts";
import type { ProvisionRequest } from "../provision-request.ts";

export interface Look {
  readonly facts: HostFacts;
  /** All that was answered as root. */
  readonly raw: RawFacts;
}

/** Gathers the facts as root and leaves the shell with root's rights. Throws `sudo-required` where there are none. */
export async function probeHost(...asked: Parameters<typeof lookAtHost>): Promise<HostFacts> {
  return (await lookAtHost(...asked)).facts;
}

/** As {@link probeHost}. @param more what is asked in the same round trips: defines the function `probe_more` */
export async function lookAtHost(
  shell: HostShell,
  request: ProvisionRequest,
  context: ProvisionContext,
  { probeMs: timeoutMs, queryMs }: ProvisionBounds,
  more?: ShellText,
): Promise<Look> {
  const script = probeScript({ port: request.engine.port, queryMs }, more);
  const first = await timed(context, () => shell.runAsUser(script, { timeoutMs }));
  requireAnswer(first.answer, shell.label);
  const facts = factsFrom(first.answer.facts, first.skewMs);
  const { privilege } = facts;
  if (privilege.kind === "none") throw noRights(shell.label, facts, privilege.explanation);
  if (privilege.kind !== "sudo-password") {
    shell.become(privilege);
    return { facts: requirePrograms(facts, shell.label), raw: first.answer.facts };
  }
  const password = shell.password ?? (await request.sudoPassword?.());
  if (password === undefined) throw noPassword(shell.label, facts);
  shell.become(privilege, password);
  const client = first.answer.facts.last("ssh-client") ?? "";
  const second = await timed(context, () => shell.runAsRoot(script, { timeoutMs }, "elevated", client));
  const raw = second.answer.facts;
  // Who logs in is told by the first look alone.
  const { userName, inDockerGroup, sshPort } = facts;
  const seen = { ...factsFrom(raw, second.skewMs), privilege, userName, inDockerGroup, sshPort };
  return { facts: requirePrograms(seen, shell.label), raw };
}

/** Under `Defaults noexec` the shell runs, and every program that it starts fails: nothing is known of such a host. */
function requirePrograms(facts: HostFacts, label: string): HostFacts {
  if (facts.kernel !== "" || facts.privilege.kind === "root") return facts;
  throw new MachineError("sudo-required", `sudo on ${label} runs a shell, but lets it start no programs (noexec)`, {
    hint: 'Take "Defaults noexec" out of /etc/sudoers there for this user (visudo: Defaults:USER !noexec), or log in as root.',
  });
}

interface TimedAnswer {
  readonly answer: ScriptAnswer;
  readonly skewMs: number;
}

/** The host's clock is read somewhere during the run: half of it is the error. */
async function timed(context: ProvisionContext, run: () => Promise<ScriptAnswer>): Promise<TimedAnswer> {
  const before = context.clock.now().getTime();
  const answer = await run();
  const after = context.clock.now().getTime();
  const seconds = Number(answer.facts.last("clock"));
  const skewMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 - (before + after) / 2 : 0;
  // A second is all that `date` tells apart.
  return { answer, skewMs: Math.abs(skewMs) <= 1000 + (after - before) / 2 ? 0 : Math.round(skewMs) };
}

function requireAnswer(answer: ScriptAnswer, label: string): void {
  if (answer.begun && answer.ended) return;
  const words = answer.output.filter((line) => line.trim() !== "").slice(-3);
  throw new MachineError(
    "remote-command",
    `${label} lets the user log in but runs no shell commands${words.length === 0 ? "" : `: ${words.join(" ")}`}`,
    {
      hint: "The user needs a POSIX shell (/bin/sh) on the machine, and an account that is not restricted to one command.",
    },
  );
}

function noRights(label: string, facts: HostFacts, explanation: string): MachineError {
  return new MachineError(
    "sudo-required",
    `The user ${facts.userName} is not root on ${label} and cannot become it: ${explanation.trim()}`,
    {
      hint: /tty/u.test(explanation)
        ? 'Take "Defaults requiretty" out of /etc/sudoers there (visudo), or install the program "script" (util-linux), which gives sudo a terminal.'
        : "Log in as root, or install sudo there and allow the user to use it.",
    },
  );
}

function noPassword(label: string, facts: HostFacts): MachineError {
  return new MachineError("sudo-required", `sudo on ${label} asks ${facts.userName} for a password, and none was given`, {
    hint: "Give a file that holds it with --generic-sudo-password-file, run the command on a terminal, or allow sudo without a password (NOPASSWD) there.",
  });
}
