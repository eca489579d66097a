/**
 * One direction of a gob connection, receiving. A value may be spread over several messages: Go cuts it wherever an
 * interface holds a type that it has not described yet. So reading is an attempt: when a message is missing, all that
 * was read and learnt is taken back, and `next` answers again once more bytes have come.
 */
import { ByteReader } from "./byte-reader.ts";
import { GobError } from "./gob-error.ts";
import { MessageQueue } from "./message-queue.ts";
import { TypeNumbering } from "./type-numbering.ts";
import { gobAny, zeroValue, type GobInterfaceValue, type GobType } from "./types.ts";
import { basicWireTypes, definitionType, wireTypeOf, type Definition, type WireType } from "./wire-type.ts";

/** Bounds on what the other side may make us keep. */
export interface GobLimits {
  readonly maxMessageBytes: number;
  /** Types described on one connection. */
  readonly maxTypes: number;
  /** Values within values. */
  readonly maxDepth: number;
}

const defaultGobLimits: GobLimits = { maxMessageBytes: 16 * 1024 * 1024, maxTypes: 4096, maxDepth: 64 };

/** Ends an attempt whose bytes have not all arrived. */
const incomplete = new Error("incomplete");

/** Go's id of the type that definitions have. */
const definitionId = 16;
const builtInTypes = describeBuiltInTypes();

export class GobDecoder {
  readonly #limits: GobLimits;
  readonly #queue: MessageQueue;
  readonly #types = new Map(builtInTypes);
  /** Ids learnt in the attempt under way. */
  #learnt: number[] = [];
  #reader = new ByteReader(new Uint8Array());
  #failure: GobError | undefined;

  constructor(limits: Partial<GobLimits> = {}) {
    this.#limits = { ...defaultGobLimits, ...limits };
    this.#queue = new MessageQueue(this.#limits.maxMessageBytes);
  }

  /** Whether bytes are left that belong to a value not yet read. */
  get hasPendingBytes(): boolean {
    return this.#queue.pendingBytes > 0;
  }

  push(chunk: Uint8Array): void {
    this.#queue.push(chunk);
  }

  /**
   * The next value, or undefined until all of it has arrived. Throws {@link GobError} when the stream is not gob, holds
   * another type than the one expected, or passes a limit; nothing can be read after that.
   */
  next<T>(type: GobType<T>): { readonly value: T } | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      const value = this.#topLevel(type) as T;
      this.#queue.commit();
      this.#learnt = [];
      return { value };
    } catch (error) {
      if (error instanceof GobError) this.#failure = error;
      if (error !== incomplete) throw error;
      this.#rollBack();
      return undefined;
    }
  }

  #rollBack(): void {
    this.#queue.rollBack();
    for (const id of this.#learnt) this.#types.delete(id);
    this.#learnt = [];
  }

  #topLevel(type: GobType): unknown {
    for (;;) {
      this.#nextMessage();
      const id = this.#reader.typeId();
      if (id < 0) {
        this.#learn(-id);
        this.#requireEnd();
        continue;
      }
      const value = this.#singleton(id, type, 0);
      this.#requireEnd();
      return value;
    }
  }

  #nextMessage(): void {
    const message = this.#queue.next();
    if (message === undefined) throw incomplete;
    this.#reader = new ByteReader(message);
  }

  #requireEnd(): void {
    if (this.#reader.remaining > 0) throw new GobError(`gob: ${this.#reader.remaining} bytes left over in a message`);
  }

  #learn(id: number): void {
    if (this.#types.has(id)) throw new GobError(`gob: type ${id} is described twice`);
    if (this.#types.size >= this.#limits.maxTypes) throw new GobError(`gob: more than ${this.#limits.maxTypes} types described`);
    const definition = this.#value(definitionId, definitionType, 0) as Definition;
    this.#types.set(id, wireTypeOf(definition));
    this.#learnt.push(id);
  }

  #wireType(id: number): WireType {
    const type = this.#types.get(id);
    if (type === undefined) throw new GobError(`gob: type ${id} was never described`);
    return type;
  }

  #singleton(id: number, type: GobType, depth: number): unknown {
    if (this.#wireType(id).kind !== "struct" && this.#reader.uint() !== 0)
      throw new GobError("gob: a value without its leading zero");
    return this.#value(id, type, depth);
  }

  #value(id: number, type: GobType, depth: number): unknown {
    if (depth > this.#limits.maxDepth) throw new GobError(`gob: values nested more than ${this.#limits.maxDepth} deep`);
    if (type.kind === "pointer") return this.#value(id, type.to, depth);
    const wire = this.#wireType(id);
    if (type.kind !== "any" && type.kind !== wire.kind)
      throw new GobError(`gob: ${wire.kind} received where ${type.kind} was expected`);
    switch (wire.kind) {
      case "bool":
        return this.#reader.uint() !== 0;
      case "int":
        return this.#reader.int();
      case "uint":
        return this.#reader.uint();
      case "float":
        return this.#reader.float();
      case "complex":
        return [this.#reader.float(), this.#reader.float()];
      case "bytes":
      case "custom":
        return this.#reader.bytes();
      case "string":
        return this.#reader.string();
      case "slice":
      case "array":
        return this.#list(wire, type, depth + 1);
      case "map":
        return this.#map(wire, type, depth + 1);
      case "struct":
        return this.#struct(wire, type, depth + 1);
      case "interface":
        return this.#interface(type, depth + 1);
    }
  }

  #list(wire: Extract<WireType, { kind: "slice" | "array" }>, type: GobType, depth: number): unknown[] {
    const count = this.#reader.count();
    if (wire.kind === "array" && count !== wire.length)
      throw new GobError(`gob: ${count} elements in an array of ${wire.length}`);
    if (type.kind === "array" && count !== type.length)
      throw new GobError(`gob: an array of ${count} where ${type.length} were expected`);
    const element = type.kind === "slice" || type.kind === "array" ? type.element : gobAny;
    const list: unknown[] = [];
    while (list.length < count) list.push(this.#value(wire.element, element, depth));
    return list;
  }

  #map(wire: Extract<WireType, { kind: "map" }>, type: GobType, depth: number): Map<unknown, unknown> {
    const [key, element] = type.kind === "map" ? [type.key, type.element] : [gobAny, gobAny];
    const map = new Map<unknown, unknown>();
    for (let left = this.#reader.count(); left > 0; left--) {
      map.set(this.#value(wire.key, key, depth), this.#value(wire.element, element, depth));
    }
    return map;
  }

  #struct(wire: Extract<WireType, { kind: "struct" }>, type: GobType, depth: number): Record<string, unknown> {
    const known = type.kind === "struct" ? type.fields : undefined;
    const struct = zeroValue(type.kind === "struct" ? type : emptyStruct) as Record<string, unknown>;
    let index = -1;
    for (;;) {
      const step = this.#reader.count();
      if (step === 0) return struct;
      index += step;
      const field = wire.fields[index];
      if (field === undefined) throw new GobError(`gob: field ${index} of a struct of ${wire.fields.length}`);
      const value = this.#value(field.id, fieldType(known, field.name), depth);
      if (known === undefined || Object.hasOwn(known, field.name)) setOwn(struct, field.name, value);
    }
  }

  #interface(type: GobType, depth: number): GobInterfaceValue | null {
    const name = this.#reader.string();
    if (name === "") return null;
    const id = this.#concreteId();
    // How many bytes follow. It covers the first fragment only where a definition cuts the value, so it says nothing.
    this.#reader.uint();
    return { type: name, value: this.#singleton(id, concreteType(type, name), depth) };
  }

  /** The id of an interface's concrete type, after the definitions that may stand before it. */
  #concreteId(): number {
    for (;;) {
      if (this.#reader.remaining === 0) this.#nextMessage();
      const id = this.#reader.typeId();
      if (id >= 0) return id;
      this.#learn(-id);
      // Within another interface the rest of the message is a fragment with a count of its own.
      if (this.#reader.remaining > 0) this.#reader.uint();
    }
  }
}

const emptyStruct: GobType = { kind: "struct", name: "", fields: {} };

function fieldType(known: Readonly<Record<string, GobType>> | undefined, name: string): GobType {
  return (known !== undefined && Object.hasOwn(known, name) ? known[name] : undefined) ?? gobAny;
}

function concreteType(type: GobType, name: string): GobType {
  if (type.kind !== "interface") return gobAny;
  const concrete = Object.hasOwn(type.concrete, name) ? type.concrete[name] : undefined;
  if (concrete === undefined) throw new GobError(`gob: name not registered for interface: ${JSON.stringify(name)}`);
  return concrete;
}

/** A field may have any name, `__proto__` too. */
function setOwn(target: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}

/** The basic types and, told by the same rules as all others, those of definitions. */
function describeBuiltInTypes(): ReadonlyMap<number, WireType> {
  const numbering = new TypeNumbering(definitionId);
  numbering.idOf(definitionType);
  const definitions = numbering.takeDefinitions().map(([id, definition]) => [id, wireTypeOf(definition)] as const);
  return new Map([...basicWireTypes(), ...definitions]);
}
