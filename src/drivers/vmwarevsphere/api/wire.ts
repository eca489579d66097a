/**
 * What requests are made of: values of the types that `schema.ts` lists, written as the schema orders their members. A real
 * vCenter insists on that order.
 */
import { escapeXml, type XmlElement } from "./xml.ts";
import { schema, type SchemaType } from "./schema.ts";

/** A reference to a managed object: `VirtualMachine` and `vm-70`. Its value may hold any characters. */
export interface Ref<Type extends string = string> {
  readonly type: Type;
  readonly value: string;
}

/** A value of a type of the schema; its members in any order. */
export interface Typed {
  readonly xsiType: SchemaType;
  readonly members: Readonly<Record<string, Wire>>;
}

/** A value of one of XML Schema's own types, where the schema leaves the type open. */
export interface AnyValue {
  readonly xsd: "string" | "int" | "boolean";
  readonly text: string;
}

export type Wire = string | number | boolean | Ref | Typed | AnyValue | XmlElement | readonly Wire[] | undefined;

export function typed<Type extends SchemaType>(
  xsiType: Type,
  members: Readonly<Partial<Record<(typeof schema)[Type][number], Wire>>>,
): Typed {
  return { xsiType, members: members as Readonly<Record<string, Wire>> };
}

export function anyString(text: string): AnyValue {
  return { xsd: "string", text };
}

/** The elements of one member: none for undefined, one for each item of a list. */
export function element(name: string, value: Wire): string {
  if (value === undefined) return "";
  if (typeof value !== "object") return `<${name}>${escapeXml(String(value))}</${name}>`;
  if (isList(value)) return value.map((item) => element(name, item)).join("");
  if ("members" in value) return `<${name} xsi:type="${value.xsiType}">${members(value)}</${name}>`;
  if ("xsd" in value) return `<${name} xsi:type="xsd:${value.xsd}">${escapeXml(value.text)}</${name}>`;
  if ("children" in value) return echo(name, value);
  return `<${name} type="${escapeXml(value.type)}">${escapeXml(value.value)}</${name}>`;
}

function isList(value: object): value is readonly Wire[] {
  return Array.isArray(value);
}

function members({ xsiType, members: given }: Typed): string {
  const order: readonly string[] = schema[xsiType];
  const unknown = Object.keys(given).find((name) => !order.includes(name));
  if (unknown !== undefined) throw new RangeError(`${xsiType} has no member ${unknown}`);
  return order.map((name) => element(name, given[name])).join("");
}

const xsdTypes: ReadonlySet<string> = new Set(["string", "int", "long", "boolean", "short", "byte", "double", "dateTime"]);

/** What was read, written as it was: members that we do not know included. */
function echo(name: string, { xsiType, type, children, text }: XmlElement): string {
  const shown = xsiType === undefined ? "" : ` xsi:type="${xsdTypes.has(xsiType) ? "xsd:" : ""}${escapeXml(xsiType)}"`;
  const reference = type === undefined ? "" : ` type="${escapeXml(type)}"`;
  const content = children.length === 0 ? escapeXml(text) : children.map((child) => echo(child.name, child)).join("");
  return `<${name}${shown}${reference}>${content}</${name}>`;
}

/** The same element with other members in place of some, all in the schema's order; what that does not list comes last, as it was. */
export function replaced(
  source: XmlElement,
  changes: Readonly<Record<string, XmlElement | undefined>>,
  order: readonly string[],
): XmlElement {
  const rank = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);
  const kept = source.children.filter((child) => !Object.hasOwn(changes, child.name));
  const added = Object.values(changes).filter((child) => child !== undefined);
  const children = [...kept, ...added].toSorted((a, b) => rank(a.name) - rank(b.name));
  return { ...source, children };
}

export function leaf(name: string, text: string): XmlElement {
  return { name, xsiType: undefined, type: undefined, children: [], text };
}

/** An element of single values, in the order they are given. */
export function node(name: string, xsiType: string | undefined, values: Readonly<Record<string, string>>): XmlElement {
  const children = Object.entries(values).map(([member, text]) => leaf(member, text));
  return { name, xsiType, type: undefined, children, text: "" };
}
