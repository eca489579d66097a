/**
 * What Microsoft's documentation says of each cmdlet's parameters (the PowerShell reference of Windows Server 2025, as
 * `cmdlets.json`): that one parameter set has all that are given, that those it demands are given, and that each value is of
 * the declared type.
 */
import { readFileSync } from "node:fs";

interface ParameterRule {
  readonly type: string;
  readonly mandatory: boolean;
}

type ParameterSet = Readonly<Record<string, ParameterRule>>;

type Cmdlets = Readonly<Record<string, Readonly<Record<string, ParameterSet>>>>;

const parameter = (type: string, mandatory = false): ParameterRule => ({ type, mandatory });

/** The same reference's page of the module DnsClient, which that file lacks. */
const nameLookUp: Cmdlets = {
  "DnsClient\\Resolve-DnsName": {
    "Default*": {
      ...{ Name: parameter("String", true), Type: parameter("RecordType"), Server: parameter("String[]") },
      ...Object.fromEntries(
        ["DnsOnly", "CacheOnly", "NoHostsFile", "LlmnrOnly", "NoRecursion", "QuickTimeout", "TcpOnly"].map((name) => [
          name,
          parameter("switch"),
        ]),
      ),
    },
  },
};

const cmdlets: Cmdlets = {
  ...(JSON.parse(readFileSync(new URL("cmdlets.json", import.meta.url), "utf8")) as Cmdlets),
  ...nameLookUp,
};

/** An error as PowerShell throws it. */
export class PowerShellError extends Error {
  readonly id: string;
  readonly category: string;

  constructor(id: string, message: string, category = "InvalidArgument") {
    super(message);
    this.id = id;
    this.category = category;
  }
}

/** What a parameter was given: a value of the script's, or what a cmdlet gave. */
export type Given =
  | { readonly kind: "switch" }
  | { readonly kind: "word"; readonly word: string }
  | { readonly kind: "scalar"; readonly scalar: unknown }
  | { readonly kind: "objects"; readonly type: string; readonly ids: readonly string[] };

const enumerations: Readonly<Record<string, readonly string[]>> = {
  BootDevice: ["Floppy", "CD", "IDE", "LegacyNetworkAdapter", "NetworkAdapter", "VHD"],
  VhdType: ["Fixed", "Dynamic", "Differencing"],
  OnOffState: ["On", "Off"],
  StartAction: ["Nothing", "StartIfRunning", "Start"],
  StopAction: ["Save", "TurnOff", "ShutDown"],
  CheckpointType: ["Disabled", "Production", "ProductionOnly", "Standard"],
  AddressFamily: ["IPv4", "IPv6"],
  State: ["Unreachable", "Incomplete", "Probe", "Delay", "Stale", "Reachable", "Permanent"],
  RecordType: ["A_AAAA", "A", "AAAA", "CNAME", "PTR"],
  ActionPreference: ["SilentlyContinue", "Stop", "Continue", "Ignore"],
};

/** Parameters that every cmdlet has, as far as scripts may use them. */
const common: ParameterSet = { ErrorAction: { type: "ActionPreference", mandatory: false } };

const ranges: Readonly<Record<string, readonly [number, number]>> = {
  Int16: [-32_768, 32_767],
  Int32: [-(2 ** 31), 2 ** 31 - 1],
  Int64: [-(2 ** 63), 2 ** 63],
  UInt16: [0, 65_535],
  UInt32: [0, 2 ** 32 - 1],
  UInt64: [0, 2 ** 64],
};

const guid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/iu;

/** Throws what PowerShell would for parameters that do not go together. */
export function checkParameters(cmdlet: string, given: ReadonlyMap<string, Given>): void {
  const sets = cmdlets[cmdlet];
  const noun = cmdlet.split("\\")[1]?.replace("-", "") ?? "";
  const failed = (id: string, message: string): PowerShellError =>
    new PowerShellError(`${id},Microsoft.HyperV.PowerShell.Commands.${noun}`, message);
  if (sets === undefined)
    throw new PowerShellError("CommandNotFoundException", `The term '${cmdlet}' is not recognized`, "ObjectNotFound");
  for (const name of given.keys())
    if (!(name in common) && !Object.values(sets).some((set) => name in set))
      throw failed("NamedParameterNotFound", `A parameter cannot be found that matches parameter name '${name}'.`);
  const fitting = Object.values(sets).filter((set) => [...given.keys()].every((name) => name in common || name in set));
  if (fitting.length === 0)
    throw failed("AmbiguousParameterSet", "Parameter set cannot be resolved using the specified named parameters.");
  const whole = fitting.find((set) => Object.entries(set).every(([name, rule]) => !rule.mandatory || given.has(name)));
  if (whole === undefined) {
    const lacking = Object.entries(fitting[0] ?? {}).flatMap(([name, rule]) =>
      rule.mandatory && !given.has(name) ? [name] : [],
    );
    throw failed(
      "MissingMandatoryParameter",
      `Cannot process command because of one or more missing mandatory parameters: ${lacking.join(" ")}.`,
    );
  }
  for (const [name, value] of given) {
    const type = (whole[name] ?? common[name])?.type ?? "";
    if (!fits(value, type, name))
      throw failed(
        "ParameterArgumentTransformationError",
        `Cannot bind parameter '${name}'. Cannot convert ${JSON.stringify(value)} to type "${type}".`,
      );
  }
}

/** Words in the place of texts: only those that the product documents. */
const knownWords: Readonly<Record<string, readonly string[]>> = {
  SecureBootTemplate: ["MicrosoftWindows", "MicrosoftUEFICertificateAuthority", "OpenSourceShieldedVM"],
};

function fits(value: Given, declared: string, name: string): boolean {
  const isArray = declared.endsWith("[]");
  const type = declared.replace(/\[\]$/u, "");
  if (type === "switch") return value.kind === "switch";
  switch (value.kind) {
    case "switch":
      return false;
    case "word":
      return (enumerations[type] ?? (type === "String" ? knownWords[name] : undefined))?.includes(value.word) ?? false;
    case "objects":
      return value.type === type && (isArray ? value.ids.length > 0 : value.ids.length === 1);
    case "scalar":
      return fitsScalar(value.scalar, type);
  }
}

function fitsScalar(value: unknown, type: string): boolean {
  if (type === "String") return typeof value === "string";
  if (type === "Boolean") return typeof value === "boolean";
  if (type === "Guid") return typeof value === "string" && guid.test(value);
  const range = ranges[type];
  if (range === undefined) return false;
  return typeof value === "number" && Number.isInteger(value) && value >= range[0] && value <= range[1];
}
