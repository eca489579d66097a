/** The part of JSON Schema that our schemas use. Gives what does not fit, by its place. */

export interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
}

/** Properties that no schema names are misfits too: what is printed is documented. */
export function misfits(value: unknown, schema: Schema, place = "$"): string[] {
  const { type, enum: choices, oneOf } = schema;
  const isOneOf =
    type === undefined ||
    [type].flat().includes(typeOf(value)) ||
    ([type].flat().includes("number") && typeOf(value) === "integer");
  if (!isOneOf) return [`${place} is ${typeOf(value)}, not ${[type].flat().join(" or ")}`];
  if ("const" in schema && value !== schema.const) return [`${place} is not ${JSON.stringify(schema.const)}`];
  if (choices !== undefined && !choices.includes(value)) return [`${place} is not one of ${JSON.stringify(choices)}`];
  if (oneOf !== undefined) return misfitsOfChoice(value, schema, oneOf, place);
  if (Array.isArray(value)) return value.flatMap((item, index) => misfits(item, schema.items ?? {}, `${place}[${index}]`));
  return typeOf(value) === "object" ? misfitsOfObject(value as Readonly<Record<string, unknown>>, schema, place) : [];
}

/** The common properties count with each choice. */
function misfitsOfChoice(value: unknown, common: Schema, choices: readonly Schema[], place: string): string[] {
  const found = choices.map((choice) => {
    const properties = { ...common.properties, ...choice.properties };
    return misfits(value, { properties, required: [...(common.required ?? []), ...(choice.required ?? [])] }, place);
  });
  const fitting = found.filter((list) => list.length === 0).length;
  return fitting === 1 ? [] : [`${place} fits ${fitting} of ${choices.length}: ${found.map((list) => list[0]).join("; ")}`];
}

function misfitsOfObject(value: Readonly<Record<string, unknown>>, schema: Schema, place: string): string[] {
  const { properties, additionalProperties, required = [] } = schema;
  const missing = required.filter((name) => !Object.hasOwn(value, name)).map((name) => `${place}.${name} is missing`);
  const wrong = Object.entries(value).flatMap(([name, inner]) => {
    const expected = properties?.[name] ?? additionalProperties;
    if (expected !== undefined) return misfits(inner, expected, `${place}.${name}`);
    return properties === undefined ? [] : [`${place}.${name} is not in the schema`];
  });
  return [...missing, ...wrong];
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}
