/**
 * The scripts that PowerShell is given: a fixed beginning and end around statements of a small grammar. No value stands in
 * a script's text: all of them travel as base64 of JSON, which becomes `$a`, so there is nothing to be quoted and nothing
 * that could be read as code. The answer is one line of JSON. No I/O.
 */

/** Values of a script, `$a.NAME` in its statements. */
export type ScriptData = Readonly<Record<string, string | number | boolean>>;

export interface Script {
  /** Each a cmdlet with parameters, or a question of {@link questions}. */
  readonly statements: readonly string[];
  /** Variables whose values are the answer, each as a list. */
  readonly answers: readonly string[];
  readonly data: ScriptData;
}

/** Warnings go to standard output in PowerShell: there is to be nothing but the answer. */
const beginning = (data: string): string =>
  [
    "$ErrorActionPreference='Stop'",
    "$ProgressPreference='SilentlyContinue'",
    "$WarningPreference='SilentlyContinue'",
    "[Console]::OutputEncoding=[Text.UTF8Encoding]::new($false)",
    `$a=[Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('${data}'))|ConvertFrom-Json`,
    "try{",
  ].join("\n");

/** What was thrown is told by its id, which is the same in every language of Windows, and in its own words. */
const end =
  `}catch{ConvertTo-Json -Compress -InputObject @{error=@{id="$($_.FullyQualifiedErrorId)";` +
  `category="$($_.CategoryInfo.Category)";message="$($_.Exception.Message)"}}}`;

/** Lists are made lists again: PowerShell gives a single element in the place of a list of one. */
export function scriptText({ statements, answers, data }: Script): string {
  const told = answers.map((name) => `${name}=@($${name})`).join(";");
  const values = Buffer.from(JSON.stringify(data), "utf8").toString("base64");
  return [beginning(values), ...statements, `ConvertTo-Json -Compress -Depth 4 -InputObject @{${told}}`, end].join("\n");
}

/** Arguments of powershell.exe for a script: UTF-16, as -EncodedCommand wants it, whatever the code page is. */
export function powershellArguments(script: Script): readonly string[] {
  const encoded = Buffer.from(scriptText(script), "utf16le").toString("base64");
  return ["-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-EncodedCommand", encoded];
}

/** Identifiers and states are numbers or objects in PowerShell's JSON unless they are asked for as text; what is not there is "". */
const text = (name: string, property: string = name): string => `@{n='${name}';e={"$($_.${property})"}}`;

const select = (...properties: readonly string[]): string => `|Select-Object ${properties.join(",")}`;

/** What is asked of objects. */
export const fields = {
  vm: select(text("Id"), text("Name"), text("State"), text("Status"), text("Notes"), text("Path", "ConfigurationLocation")),
  switch: select(text("Id"), text("Name"), text("SwitchType")),
  adapter: select(text("MacAddress"), text("IPAddresses")),
  neighbour: select(text("IPAddress"), text("State")),
  disk: select(text("Path")),
  record: select(text("IPAddress")),
} as const;

const isInRole = (sid: string): string =>
  "([Security.Principal.WindowsPrincipal][Security.Principal.WindowsIdentity]::GetCurrent())" +
  `.IsInRole([Security.Principal.SecurityIdentifier]'${sid}')`;

/**
 * Questions that no cmdlet of Hyper-V answers. Groups are asked for by their identifiers: names are another in each
 * language, and 0.16.2's question for "S-1-5-32-578" was one for a group of that name.
 */
export const questions = {
  administrator: `$administrator=${isInRole("S-1-5-32-544")}`,
  hypervAdministrator: `$hypervAdministrator=${isInRole("S-1-5-32-578")}`,
  module: "$module=@(Get-Module -ListAvailable Hyper-V).Count -gt 0",
  hypervisor: "$hypervisor=(Get-CimInstance Win32_ComputerSystem).HypervisorPresent",
  firmware: "$firmware=(Get-CimInstance Win32_Processor).VirtualizationFirmwareEnabled",
  service: `$service="$((Get-Service vmms -ErrorAction SilentlyContinue).Status)"`,
  /** Windows before 10 and Server 2016 makes no checkpoints by itself, and knows no such parameter. */
  checkpoints: "$checkpoints=(Get-Command Hyper-V\\Set-VM).Parameters.ContainsKey('AutomaticCheckpointsEnabled')",
} as const;
