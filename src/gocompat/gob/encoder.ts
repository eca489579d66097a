/**
 * One direction of a gob connection, sending. Types are described once per encoder, each in a message of its own and
 * all of them before the value that needs them: Go accepts that, and so no value is ever cut in two by a definition.
 */
import { ByteWriter } from "./byte-writer.ts";
import { GobError } from "./gob-error.ts";
import { TypeNumbering } from "./type-numbering.ts";
import type { GobInteger, GobInterfaceValue, GobType } from "./types.ts";
import { definitionType, firstUserId, type Definition } from "./wire-type.ts";

export class GobEncoder {
  readonly #types = new TypeNumbering(firstUserId);

  /** The messages that carry a value. Throws {@link GobError} where the value does not fit its type. */
  encode<T>(type: GobType<T>, value: T): Uint8Array {
    const message = new ByteWriter();
    message.int(this.#types.idOf(type));
    this.#singleton(message, type, value);
    // Taken only now: a value that failed above leaves its types to be described with the next one.
    const messages = new ByteWriter();
    for (const [id, definition] of this.#types.takeDefinitions()) messages.bytes(this.#definition(id, definition));
    messages.bytes(message.view());
    return messages.view().slice();
  }

  #definition(id: number, definition: Definition): Uint8Array {
    const message = new ByteWriter();
    message.int(-id);
    this.#value(message, definitionType, definition);
    return message.view();
  }

  /** A value that stands alone after its type's id: all but structs are preceded by a zero. */
  #singleton(out: ByteWriter, type: GobType, value: unknown): void {
    if (type.kind !== "struct") out.uint(0);
    this.#value(out, type, value);
  }

  #value(out: ByteWriter, type: GobType, value: unknown): void {
    switch (type.kind) {
      case "bool":
        return out.bool(value as boolean);
      case "int":
        return out.int(value as GobInteger);
      case "uint":
        return out.uint(value as GobInteger);
      case "float":
        return out.float(value as number);
      case "bytes":
        return out.bytes(value as Uint8Array);
      case "string":
        return out.string(value as string);
      case "slice":
      case "array":
        return this.#list(out, type, value as readonly unknown[]);
      case "map":
        return this.#map(out, type, value as ReadonlyMap<unknown, unknown>);
      case "struct":
        return this.#struct(out, type.fields, value as Readonly<Record<string, unknown>>);
      case "interface":
        return this.#interface(out, type.concrete, value as GobInterfaceValue | null);
      case "pointer":
        return this.#value(out, type.to, value);
      case "any":
        throw new GobError("gob: a value of no known type cannot be sent");
    }
  }

  #list(out: ByteWriter, type: Extract<GobType, { kind: "slice" | "array" }>, elements: readonly unknown[]): void {
    if (type.kind === "array" && elements.length !== type.length) {
      throw new GobError(`gob: ${elements.length} elements for an array of ${type.length}`);
    }
    out.uint(elements.length);
    for (const element of elements) this.#value(out, type.element, element);
  }

  #map(out: ByteWriter, type: Extract<GobType, { kind: "map" }>, map: ReadonlyMap<unknown, unknown>): void {
    out.uint(map.size);
    for (const [key, element] of map) {
      this.#value(out, type.key, key);
      this.#value(out, type.element, element);
    }
  }

  /** Fields are numbered by their distance from the last one sent; zero values are left out; 0 ends the struct. */
  #struct(out: ByteWriter, fields: Readonly<Record<string, GobType>>, values: Readonly<Record<string, unknown>>): void {
    let last = -1;
    for (const [index, [name, type]] of Object.entries(fields).entries()) {
      if (isLeftOut(type, values[name])) continue;
      out.uint(index - last);
      this.#value(out, type, values[name]);
      last = index;
    }
    out.uint(0);
  }

  #interface(out: ByteWriter, concrete: Readonly<Record<string, GobType>>, value: GobInterfaceValue | null): void {
    if (value === null) return out.string("");
    const type = Object.hasOwn(concrete, value.type) ? concrete[value.type] : undefined;
    if (type === undefined) throw new GobError(`gob: name not registered for interface: ${JSON.stringify(value.type)}`);
    const inner = new ByteWriter();
    this.#singleton(inner, type, value.value);
    out.string(value.type);
    out.int(this.#types.idOf(type));
    out.bytes(inner.view());
  }
}

function isLeftOut(type: GobType, value: unknown): boolean {
  switch (type.kind) {
    case "bool":
      return value === false;
    case "int":
    case "uint":
    case "float":
      return Number(value) === 0;
    case "string":
    case "bytes":
    case "slice":
      return (value as string | Uint8Array | readonly unknown[]).length === 0;
    case "interface":
      return value === null;
    case "pointer":
      return value === undefined;
    case "array":
    case "map":
    case "struct":
    case "any":
      return false;
  }
}
