/**
 * Runs scripts on one host with root's rights, whatever gives them there: root itself, sudo with or without a
 * password, doas. Knows the protocol of scripts, nothing of what they do.
 */
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import type { SshResult } from "../../ssh/executor.ts";
import type { Privilege } from "../facts/facts.ts";
import { RawFacts } from "../facts/parse-facts.ts";
import type { ProvisionContext } from "../provision-context.ts";
import type { ScriptAnswer } from "../facts/script-answer.ts";
import { awayFromTerminal, withTerminal } from "../shell/terminal.ts";
import { bootstrap, framedScript, parseScriptLine, type ScriptLine } from "../shell/script-protocol.ts";
import { LineSplitter } from "../../system/line-splitter.ts";
import { failureOf, sudoRefusal } from "../scripts/script-failure.ts";
import { quoteWord } from "../../ssh/shell-quote.ts";
import type { ShellText } from "../shell/shell-text.ts";

export interface ScriptRun {
  readonly timeoutMs: number;
  /** A part of the work began. */
  readonly onPhase?: ((phase: string) => void) | undefined;
}

const becoming: Readonly<Record<Privilege["kind"], string>> = {
  root: "",
  sudo: "sudo -k -n ",
  "sudo-password": "sudo -k -S -p '' ",
  doas: "doas -n ",
  none: "",
};

export class HostShell {
  /** How messages name the host. */
  readonly label: string;
  readonly #context: ProvisionContext;
  #privilege: Privilege = { kind: "none", explanation: "not known yet" };
  #password: string | undefined;

  constructor(label: string, context: ProvisionContext) {
    this.label = label;
    this.#context = context;
  }

  /** The password given to {@link become}, for a second look. */
  get password(): string | undefined {
    return this.#password;
  }

  /** From here on {@link runAsRoot} uses this way; the password is for `sudo-password`. */
  become(privilege: Privilege, password?: string): void {
    this.#privilege = privilege;
    this.#password = password;
  }

  /** Runs as the user who logs in. Never throws for what the script did. */
  runAsUser(script: ShellText, run: ScriptRun): Promise<ScriptAnswer> {
    return this.#run(`sh -c ${quoteWord(bootstrap)}`, framedScript(script), run);
  }

  /** Runs as root; a status other than 0, or an end that never came, is thrown as what it means. */
  async runAsRoot(script: ShellText, run: ScriptRun, ...args: readonly string[]): Promise<ScriptAnswer> {
    const terminal = "terminal" in this.#privilege && this.#privilege.terminal === true;
    const words = [...(terminal ? [awayFromTerminal, "sh"] : []), bootstrap, "sh", ...args];
    const command = `${becoming[this.#privilege.kind]}sh -c ${words.map(quoteWord).join(" ")}`;
    const answer = await this.#run(terminal ? withTerminal(command) : command, framedScript(script, this.#password), run);
    if (answer.status === 0 && answer.ended) return answer;
    throw answer.begun ? failureOf(answer, this.label) : sudoRefusal(answer, this.label, this.#privilege);
  }

  async #run(command: string, stdin: string, run: ScriptRun): Promise<ScriptAnswer> {
    const flood = new AbortController();
    const collector = new AnswerCollector(this.#context, run, () => flood.abort(tooMuch(this.label)));
    const result = await this.#context.ssh.run(command, {
      stdin,
      timeoutMs: run.timeoutMs,
      signal: AbortSignal.any([this.#context.signal, flood.signal]),
      onStdout: (chunk) => collector.stdout.push(chunk),
      onStderr: (chunk) => collector.stderr.push(chunk),
    });
    return collector.answer(result);
  }
}

/** What a script and the programs it runs may say: an installation takes some thousand lines. */
const mostLines = 100_000;
/** What is shown to everybody. */
const mostNotes = 1_000;
const shownLength = 4_096;

function tooMuch(label: string): MachineError {
  return new MachineError("remote-command", `A script on ${label} said more than ${mostLines} lines and was ended`, {
    hint: "Look at what prints so much there: a start-up file of the login shell, or a program in the place of a system's own.",
  });
}

/** Sorts lines as they come: answers are kept or reported, output is kept and shown to those who debug. */
class AnswerCollector {
  readonly stdout = new LineSplitter((line, isWhole) =>
    // An answer of which a part is missing is none.
    this.#take(isWhole ? parseScriptLine(line) : { kind: "output", text: line }),
  );
  readonly stderr = new LineSplitter((line) => this.#take({ kind: "output", text: line }));
  readonly #context: ProvisionContext;
  readonly #run: ScriptRun;
  readonly #facts = new RawFacts();
  readonly #changed: string[] = [];
  readonly #why: string[] = [];
  readonly #output: string[] = [];
  readonly #seen = new Map<string, { key: string; value: string }>();

  readonly #onFlood: () => void;
  #lines = 0;
  #notes = 0;

  constructor(context: ProvisionContext, run: ScriptRun, onFlood: () => void) {
    this.#context = context;
    this.#run = run;
    this.#onFlood = onFlood;
  }

  #take(line: ScriptLine): void {
    this.#lines += 1;
    if (this.#lines > mostLines) return this.#onFlood();
    if (line.kind === "output") {
      if (line.text === "") return;
      this.#output.push(line.text);
      logTo(this.#context.report, "debug", line.text.slice(0, shownLength));
      return;
    }
    if (line.kind === "fact") this.#facts.add(line.key, line.value);
    else if (line.kind === "changed") this.#changed.push(line.key);
    else if (line.kind === "why") this.#why.push(line.value);
    else if (line.kind === "phase") this.#run.onPhase?.(line.key);
    else if (line.kind === "wait") this.#show("info", line.value);
    else if (line.kind === "note") this.#show(line.key === "warn" ? "warn" : "info", line.value);
    else this.#seen.set(line.kind, { key: line.key, value: line.value });
  }

  /** A host may tell many things, but not so many that nobody sees the rest. */
  #show(level: "info" | "warn", text: string): void {
    this.#notes += 1;
    if (this.#notes <= mostNotes) logTo(this.#context.report, level, text.slice(0, shownLength));
  }

  answer(result: SshResult): ScriptAnswer {
    this.stdout.end();
    this.stderr.end();
    const fail = this.#seen.get("fail");
    return {
      facts: this.#facts,
      changed: this.#changed,
      fail: fail === undefined ? undefined : { code: fail.key, message: fail.value },
      hint: this.#seen.get("hint")?.value,
      why: this.#why,
      begun: this.#seen.has("begin"),
      ended: this.#seen.has("end"),
      output: this.#output,
      status: result.status,
    };
  }
}
