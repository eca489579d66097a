/**
 * PowerShell as far as the driver's scripts need it, on the Hyper-V of a folder: as a program, or in this process. It
 * understands `grammar.ts`, checks parameters by `cmdlet-rules.ts`, and answers in the shapes of Windows PowerShell 5.1: one
 * element in the place of a list of one, CRLF, and now and then an object with a list and its length.
 */
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import type { ProcessRunner, RunResult } from "../../../src/system/process.ts";
import { checkParameters, PowerShellError, type Given } from "./cmdlet-rules.ts";
import { FakeHyperv } from "./fake-hyperv.ts";
import { Arguments, type Argument, type PowerShellObject } from "./fake-model.ts";
import { parseScript, type Fact, type ParsedScript, type Projection, type Statement, type Value } from "./grammar.ts";

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** It never answers, and this is what it waits for: a virtual machine that is switched off. */
  readonly waitsFor?: string | undefined;
}

const options = ["-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-EncodedCommand"];

/** Puts the program into `folder`/bin, which is for PATH, and gives that. */
export function installPowerShell(folder: string): string {
  const bin = path.join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  const file = path.join(bin, "powershell");
  writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${fileURLToPath(import.meta.url)}' '${folder}' "$@"\n`);
  chmodSync(file, 0o755);
  return bin;
}

/** What was run so far, a text for each script: its statements without the beginning and end that all have. */
export function scriptsOf(folder: string): readonly string[] {
  const file = path.join(folder, "scripts.ndjson");
  return existsSync(file)
    ? readFileSync(file, "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as string)
    : [];
}

/** Runs scripts in this process: for suites that run hundreds. */
export function processesOn(fake: FakeHyperv): ProcessRunner {
  return {
    find: async (program) => (program === "powershell" ? "/windows/powershell" : undefined),
    spawn: () => {
      throw new Error("nothing is spawned");
    },
    run: async (_program, args, { signal } = {}): Promise<RunResult> => {
      signal?.throwIfAborted();
      const { status, stdout, stderr, waitsFor } = runPowerShell(fake, args);
      if (waitsFor !== undefined) throw new Error("this one hangs: run it as a program");
      return { status, signal: null, stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) };
    },
  };
}

export function runPowerShell(fake: FakeHyperv, args: readonly string[]): Outcome {
  const encoded = args.at(-1) ?? "";
  if (JSON.stringify(args.slice(0, -1)) !== JSON.stringify(options) || args.join(" ").length > 32_767)
    return { status: 1, stdout: "", stderr: `The argument is not recognized: ${args.slice(0, -1).join(" ")}\r\n` };
  if (fake.behaviour.constrained === true)
    return {
      status: 1,
      stdout: "",
      stderr:
        "Cannot invoke method. Method invocation is supported only on core types in this language mode.\r\n    + FullyQualifiedErrorId : MethodInvocationNotSupportedInConstrainedLanguage\r\n",
    };
  const text = Buffer.from(encoded, "base64").toString("utf16le");
  let script: ParsedScript;
  try {
    script = parseScript(text);
  } catch (error) {
    return { status: 1, stdout: "", stderr: `ParserError: ${String(error)}\r\n` };
  }
  appendFileSync(path.join(fake.folder, "scripts.ndjson"), `${JSON.stringify(text.split("\n").slice(6, -2).join("\n"))}\n`);
  try {
    const answer = new Running(fake, script).run();
    if (answer instanceof Hang) return { status: 1, stdout: "", stderr: "", waitsFor: answer.id };
    return { status: 0, stdout: `${json(answer)}\r\n`, stderr: "" };
  } catch (error) {
    if (!(error instanceof PowerShellError)) throw error;
    const { id, category, message } = error;
    return { status: 0, stdout: `${json({ error: { id, category, message } })}\r\n`, stderr: "" };
  }
}

class Hang {
  readonly id: string;

  constructor(id: string) {
    this.id = id;
  }
}

type Variable = readonly PowerShellObject[] | { readonly selected: readonly unknown[] };

class Running {
  readonly #fake: FakeHyperv;
  readonly #script: ParsedScript;
  readonly #variables = new Map<string, Variable>();
  readonly #usedData = new Set<string>();

  constructor(fake: FakeHyperv, script: ParsedScript) {
    this.#fake = fake;
    this.#script = script;
  }

  run(): Readonly<Record<string, unknown>> | Hang {
    for (const statement of this.#script.statements) {
      const hang = this.#step(statement);
      if (hang !== undefined) return hang;
    }
    const unused = Object.keys(this.#script.data).filter((key) => !this.#usedData.has(key));
    if (unused.length > 0) throw new Error(`values that nothing uses: ${unused.join(", ")}`);
    return Object.fromEntries(this.#script.answers.map(({ name, variable }) => [name, this.#told(variable)]));
  }

  #step(statement: Statement): Hang | undefined {
    if (statement.kind === "question") {
      this.#variables.set(statement.variable, { selected: answerOf(this.#fake, statement.fact) });
      return undefined;
    }
    const { cmdlet, parameters, variable, projections } = statement;
    const given = new Map(parameters.map(({ name, value }) => [name, this.#given(name, value)]));
    if (given.size !== parameters.length) throw new PowerShellError("ParameterAlreadyBound", `twice: ${cmdlet}`);
    if (cmdlet.startsWith("Hyper-V\\") && this.#fake.behaviour.hasModule === false)
      throw new PowerShellError("CommandNotFoundException", `${cmdlet} wurde nicht gefunden`, "ObjectNotFound");
    checkParameters(cmdlet, given);
    const isShutdown = cmdlet === "Hyper-V\\Stop-VM" && !given.has("TurnOff");
    const target = given.get("VM");
    if (isShutdown && this.#fake.behaviour.shutdown === "hangs" && target?.kind === "objects")
      return new Hang(target.ids[0] ?? "");
    const result = this.#fake.run(cmdlet, new Arguments(new Map([...given].map(([name, value]) => [name, argumentOf(value)]))));
    if (variable !== undefined)
      this.#variables.set(
        variable,
        projections === undefined ? result : { selected: result.map((one) => project(one, projections)) },
      );
    return undefined;
  }

  #given(name: string, value: Value | undefined): Given {
    if (value === undefined) return { kind: "switch" };
    switch (value.kind) {
      case "word":
        return { kind: "word", word: value.word };
      case "number":
        return { kind: "scalar", scalar: value.number };
      case "boolean":
        return { kind: "scalar", scalar: value.truth };
      case "data":
        this.#usedData.add(value.key);
        if (!(value.key in this.#script.data))
          throw new PowerShellError("ParameterArgumentValidationErrorNullNotAllowed", `-${name} is null: $a.${value.key}`);
        return { kind: "scalar", scalar: this.#script.data[value.key] };
      case "variable":
        return this.#variable(value.name, value.property);
    }
  }

  #variable(name: string, property: string | undefined): Given {
    const value = this.#variables.get(name);
    if (value === undefined || "selected" in value || value.length === 0)
      throw new PowerShellError("ParameterArgumentValidationErrorNullNotAllowed", `$${name} is null`);
    if (property !== undefined) return { kind: "scalar", scalar: value[0]?.properties[property] };
    return { kind: "objects", type: value[0]?.type ?? "", ids: value.map(({ id }) => id) };
  }

  #told(name: string): unknown {
    const value = this.#variables.get(name);
    if (value === undefined) return [];
    // Whole objects of Hyper-V have hundreds of properties, and some of them lead to others.
    if (!("selected" in value)) throw new Error(`$${name} is answered without Select-Object`);
    const { selected } = value;
    return this.#fake.behaviour.wrapsLists === true ? { value: selected, Count: selected.length } : selected;
  }
}

function argumentOf(value: Given): Argument {
  switch (value.kind) {
    case "switch":
      return true;
    case "word":
      return value.word;
    case "scalar":
      return value.scalar as Argument;
    case "objects":
      return value.ids.map((id) => ({ type: value.type, id, properties: {} }));
  }
}

function answerOf({ behaviour }: FakeHyperv, fact: Fact): readonly unknown[] {
  const { rights = "administrator" } = behaviour;
  switch (fact) {
    case "administrator":
      return [rights === "administrator"];
    case "hypervAdministrator":
      return [rights === "hyperv"];
    case "module":
      return [behaviour.hasModule ?? true];
    case "hypervisor":
      return [behaviour.hasHypervisor ?? true];
    // Beneath a hypervisor it reads as off.
    case "firmware":
      return [behaviour.hasHypervisor === false && (behaviour.hasFirmware ?? true)];
    case "service":
      return [behaviour.service ?? "Running"];
    case "checkpoints":
      return [behaviour.isOld !== true];
  }
}

/** Numbers of states and kinds, as JSON has them where they are not made text. */
const numbers: Readonly<Record<string, number>> = { Running: 2, Off: 3, Saved: 6, Private: 0, Internal: 1, External: 2 };

function project({ properties }: PowerShellObject, projections: readonly Projection[]): unknown {
  const valueOf = ({ property, isText }: Projection): unknown => {
    if (!(property in properties)) return isText ? "" : null;
    const value = properties[property];
    if (isText) return Array.isArray(value) ? value.join(" ") : String(value);
    return typeof value === "string" && (property === "State" || property === "SwitchType") ? (numbers[value] ?? 99) : value;
  };
  return Object.fromEntries(projections.map((projection) => [projection.name, valueOf(projection)]));
}

/** Windows PowerShell writes these as escapes. */
function json(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[<>&']/gu, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`);
}

if (import.meta.main) {
  const [folder = "", ...args] = process.argv.slice(2);
  const fake = new FakeHyperv(folder);
  const { status, stdout, stderr, waitsFor } = runPowerShell(fake, args);
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = status;
  // Until it is off, or this process is ended.
  if (waitsFor !== undefined)
    setInterval(() => {
      if (fake.state.vms.every(({ Id, State }) => Id !== waitsFor || State === "Off")) process.exit(1);
    }, 20);
}
