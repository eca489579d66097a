/**
 * The PowerShell that the stand-in understands: a beginning and an end that are known to the letter, and between them
 * statements of one form. What is not exactly so is refused, so that a script with a value in its text, or with more of the
 * language, fails here.
 *
 *     [$NAME=]MODULE\VERB-NOUN [-PARAMETER [VALUE]]… [|Select-Object FIELD,…]
 */

export type Value =
  | { readonly kind: "data"; readonly key: string }
  | { readonly kind: "variable"; readonly name: string; readonly property: string | undefined }
  | { readonly kind: "number"; readonly number: number }
  | { readonly kind: "boolean"; readonly truth: boolean }
  | { readonly kind: "word"; readonly word: string };

export interface Parameter {
  readonly name: string;
  /** Undefined for a switch. */
  readonly value: Value | undefined;
}

/** A field of an answer: the property as it is, or as text. */
export interface Projection {
  readonly name: string;
  readonly property: string;
  readonly isText: boolean;
}

export type Statement =
  | {
      readonly kind: "cmdlet";
      readonly variable: string | undefined;
      readonly cmdlet: string;
      readonly parameters: readonly Parameter[];
      readonly projections: readonly Projection[] | undefined;
    }
  | { readonly kind: "question"; readonly variable: string; readonly fact: Fact };

export type Fact = "administrator" | "hypervAdministrator" | "module" | "hypervisor" | "firmware" | "service" | "checkpoints";

const principal = "([Security.Principal.WindowsPrincipal][Security.Principal.WindowsIdentity]::GetCurrent())";

/** Expressions, to the letter. */
const facts: Readonly<Record<string, Fact>> = {
  [`${principal}.IsInRole([Security.Principal.SecurityIdentifier]'S-1-5-32-544')`]: "administrator",
  [`${principal}.IsInRole([Security.Principal.SecurityIdentifier]'S-1-5-32-578')`]: "hypervAdministrator",
  "@(Get-Module -ListAvailable Hyper-V).Count -gt 0": "module",
  "(Get-CimInstance Win32_ComputerSystem).HypervisorPresent": "hypervisor",
  "(Get-CimInstance Win32_Processor).VirtualizationFirmwareEnabled": "firmware",
  '"$((Get-Service vmms -ErrorAction SilentlyContinue).Status)"': "service",
  "(Get-Command Hyper-V\\Set-VM).Parameters.ContainsKey('AutomaticCheckpointsEnabled')": "checkpoints",
};

export interface ParsedScript {
  readonly statements: readonly Statement[];
  /** Variables, under names of their own in the answer. */
  readonly answers: readonly { readonly name: string; readonly variable: string }[];
  readonly data: Readonly<Record<string, unknown>>;
}

const head = [
  "$ErrorActionPreference='Stop'",
  "$ProgressPreference='SilentlyContinue'",
  "$WarningPreference='SilentlyContinue'",
  "[Console]::OutputEncoding=[Text.UTF8Encoding]::new($false)",
];
const dataLine =
  /^\$a=\[Text\.Encoding\]::UTF8\.GetString\(\[Convert\]::FromBase64String\('([A-Za-z0-9+/=]+)'\)\)\|ConvertFrom-Json$/u;
const answerLine = /^ConvertTo-Json -Compress -Depth 4 -InputObject @\{((?:\w+=@\(\$\w+\);?)*)\}$/u;
const tail =
  '}catch{ConvertTo-Json -Compress -InputObject @{error=@{id="$($_.FullyQualifiedErrorId)";category="$($_.CategoryInfo.Category)";message="$($_.Exception.Message)"}}}';

/** Throws an `Error` with what is not understood. */
export function parseScript(text: string): ParsedScript {
  const lines = text.split("\n");
  for (const [index, line] of head.entries()) if (lines[index] !== line) throw new Error(`line ${index + 1} is not: ${line}`);
  const [, encoded] = dataLine.exec(lines[4] ?? "") ?? [];
  if (encoded === undefined) throw new Error(`no data: ${lines[4]}`);
  if (lines[5] !== "try{") throw new Error(`no try: ${lines[5]}`);
  if (lines.at(-1) !== tail) throw new Error(`another end: ${lines.at(-1)}`);
  const [, answers] = answerLine.exec(lines.at(-2) ?? "") ?? [];
  if (answers === undefined) throw new Error(`another answer: ${lines.at(-2)}`);
  return {
    data: JSON.parse(Buffer.from(encoded, "base64").toString("utf8")) as Readonly<Record<string, unknown>>,
    statements: lines.slice(6, -2).map(parseStatement),
    answers: [...answers.matchAll(/(\w+)=@\(\$(\w+)\)/gu)].map(([, name = "", variable = ""]) => ({ name, variable })),
  };
}

const cmdletLine =
  /^(?:\$(?<variable>\w+)=)?(?<cmdlet>[A-Z][A-Za-z-]*\\[A-Z][a-z]+-[A-Z][A-Za-z]+)(?<rest>(?: -[A-Z]\w*(?: (?:\$?[\w.]+))?)*)(?:\|Select-Object (?<fields>.+))?$/u;

function parseStatement(line: string): Statement {
  const [, variable = "", expression = ""] = /^\$(\w+)=(.+)$/u.exec(line) ?? [];
  const fact = facts[expression];
  if (fact !== undefined) return { kind: "question", variable, fact };
  const found = cmdletLine.exec(line)?.groups;
  if (found === undefined) throw new Error(`not understood: ${line}`);
  const parameters = [...(found["rest"] ?? "").matchAll(/ -([A-Z]\w*)(?: (\$?[\w.]+))?/gu)].map(
    ([, name = "", value]): Parameter => ({ name, value: value === undefined ? undefined : parseValue(value) }),
  );
  return {
    kind: "cmdlet",
    variable: found["variable"],
    cmdlet: found["cmdlet"] ?? "",
    parameters,
    projections: found["fields"] === undefined ? undefined : parseProjections(found["fields"]),
  };
}

function parseValue(text: string): Value {
  if (text === "$true" || text === "$false") return { kind: "boolean", truth: text === "$true" };
  if (/^\d+$/u.test(text)) return { kind: "number", number: Number(text) };
  const [, name, property] = /^\$(\w+)(?:\.(\w+))?$/u.exec(text) ?? [];
  if (name === "a" && property !== undefined) return { kind: "data", key: property };
  if (name !== undefined) return { kind: "variable", name, property };
  if (/^[A-Za-z]\w*$/u.test(text)) return { kind: "word", word: text };
  throw new Error(`no value: ${text}`);
}

function parseProjections(text: string): readonly Projection[] {
  return text.split(",").map((field): Projection => {
    const [, name, property] = /^@\{n='(\w+)';e=\{"\$\(\$_\.(\w+)\)"\}\}$/u.exec(field) ?? [];
    if (name !== undefined && property !== undefined) return { name, property, isText: true };
    if (/^\w+$/u.test(field)) return { name: field, property: field, isText: false };
    throw new Error(`no field: ${field}`);
  });
}
