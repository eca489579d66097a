/**
 * The JSON schema of a fleet's file, for editors: with the create flags of the drivers that are here. What it allows is read;
 * what only the reader sees (ranges that overlap, members that there are not) it cannot say.
 */
import { isSecretName } from "../../log/secret-names.ts";
import { isMachineError } from "../../errors/machine-error.ts";
import { flagsNotInFiles, type FileFlag, type FlagSource } from "./flag-source.ts";
import { fileVersion } from "./parse-fleet.ts";
import { engineKeys } from "./scope.ts";

type Schema = Readonly<Record<string, unknown>>;

const reference = "^$|^(env|file|cmd|keychain):";
const time = { type: "string", pattern: "^(\\d+(\\.\\d+)?(ms|s|m|h|d))+$" };
const privateKeys = { "^x-": {} };
const map = (properties: Schema, more: Schema = {}): Schema => ({
  type: "object",
  properties,
  patternProperties: privateKeys,
  additionalProperties: false,
  ...more,
});

/** @param onMissing told of a driver whose flags cannot be had, as of a plugin that does not start: its flags are not in the schema. */
export async function fleetSchema(source: FlagSource, onMissing: (driver: string, why: string) => void): Promise<Schema> {
  const flags = new Map<string, readonly FileFlag[]>();
  for (const name of await source.driverNames()) {
    try {
      flags.set(
        name,
        (await source.flagsOf(name)).filter((flag) => !flagsNotInFiles.has(flag.name)),
      );
    } catch (error) {
      if (!isMachineError(error)) throw error;
      onMissing(name, error.message);
    }
  }
  const machine = { $ref: "#/$defs/machine" };
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "A fleet of docker-machine",
    $defs: { machine: machineSchema(flags), engine: engineSchema(flags) },
    ...map(
      {
        version: { const: fileVersion, description: "Of the file's form" },
        fleet: { type: "string", pattern: "^[a-zA-Z0-9][a-zA-Z0-9.-]{0,62}$", description: "What the machines are marked with" },
        defaults: { ...machine, description: "What all machines have that do not say otherwise" },
        machines: {
          type: ["object", "null"],
          additionalProperties: { anyOf: [machine, { type: "null" }] },
          description: "By name, or by a range such as web-[1-3]",
        },
        rollout: rolloutSchema,
        swarm: { type: "object", additionalProperties: clusterSchema, description: "Clusters of swarm mode, by name" },
      },
      { required: ["version", "fleet"] },
    ),
  };
}

function machineSchema(flags: ReadonlyMap<string, readonly FileFlag[]>): Schema {
  const all = new Map([...flags.values()].flat().map((flag) => [flag.name, flag]));
  const own = {
    driver: { type: "string", description: "What the machine is made with" },
    engine: { $ref: "#/$defs/engine" },
    labels: {
      type: ["object", "null"],
      additionalProperties: { type: ["string", "null"] },
      description: "Of the machine's record, for --filter label=",
    },
    protect: { type: ["boolean", "null"], description: "Whether the machine is kept from being removed" },
    transport: orNull({ type: "string", enum: ["tls", "ssh"], description: "How the engine is reached" }),
  };
  return map(
    { ...own, ...Object.fromEntries([...all].map(([name, flag]) => [name, flagSchema(flag)])) },
    {
      allOf: [...flags].map(([driver, ofDriver]) => ({
        if: { properties: { driver: { const: driver } }, required: ["driver"] },
        // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON schema
        then: {
          propertyNames: { anyOf: [{ enum: [...Object.keys(own), ...ofDriver.map(({ name }) => name)] }, { pattern: "^x-" }] },
        },
      })),
    },
  );
}

function engineSchema(flags: ReadonlyMap<string, readonly FileFlag[]>): Schema {
  const shared = new Map([...flags.values()].flat().map((flag) => [flag.name, flag]));
  const properties = Object.entries(engineKeys).flatMap(([key, name]) => {
    const flag = shared.get(name);
    return flag === undefined ? [] : [[key, flagSchema(flag)] as const];
  });
  return { ...map(Object.fromEntries(properties)), type: ["object", "null"], description: "The Docker Engine of a machine" };
}

function flagSchema(flag: FileFlag): Schema {
  const described = { description: flag.usage };
  switch (flag.kind) {
    case "bool":
      return { type: ["boolean", "null"], ...described };
    case "int":
      return flag.unit === undefined
        ? { type: ["integer", "null"], ...described }
        : orNull({ anyOf: [{ type: "integer" }, { type: "string" }], ...described });
    case "strings":
      return orNull({ anyOf: [{ type: "array", items: { type: "string" } }, { type: "string" }], ...described });
    case "string":
      return orNull({
        type: "string",
        ...(flag.choices === undefined ? {} : { enum: flag.choices }),
        ...((flag.secret ?? isSecretName(flag.name)) ? { pattern: reference } : {}),
        ...described,
      });
  }
}

function orNull({ description, ...schema }: Schema): Schema {
  return { anyOf: [schema, { type: "null" }], description };
}

const rolloutSchema = map({
  "max-unavailable": {
    anyOf: [
      { type: "integer", minimum: 1 },
      { type: "string", pattern: "^(100|[1-9][0-9]?) ?%$" },
    ],
    description: "How many machines at once, or which share of them",
  },
  "max-fail": { type: "integer", minimum: 0, description: "More failures than this stop it" },
  first: { type: "integer", minimum: 1, description: "How many machines go first, alone" },
  pause: { ...time, description: "Between the first and the others, and between batches" },
  healthy: map({
    containers: { enum: ["as-before", "ignored"], description: "Whether containers that ran must run again" },
    command: { type: "string", description: "A line of shell on the machine that must succeed" },
    within: time,
  }),
});

const members = {
  anyOf: [
    { type: "array", items: { type: "string" } },
    { type: "string", pattern: "^label=[^=]+(=.*)?$" },
  ],
};
const clusterSchema = map(
  { managers: members, workers: members, "data-path-port": { type: "integer", minimum: 1_024, maximum: 49_151 } },
  { required: ["managers"] },
);
