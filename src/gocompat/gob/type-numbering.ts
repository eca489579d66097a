/** Gives types their ids, in the order in which Go gives them: a type before those that it is made of. */
import { GobError } from "./gob-error.ts";
import type { GobType } from "./types.ts";
import { basicIdOf, definitionOf, isDefined, type Definition } from "./wire-type.ts";

export class TypeNumbering {
  readonly #firstId: number;
  readonly #ids = new Map<GobType, number>();
  readonly #untold = new Map<number, Definition>();

  constructor(firstId: number) {
    this.#firstId = firstId;
  }

  idOf(type: GobType): number {
    if (type.kind === "pointer") return this.idOf(type.to);
    const known = basicIdOf(type) ?? this.#ids.get(type);
    if (known !== undefined) return known;
    if (!isDefined(type)) throw new GobError("gob: a value of no known type cannot be sent");
    const id = this.#firstId + this.#ids.size;
    this.#ids.set(type, id);
    this.#untold.set(
      id,
      definitionOf(type, id, (part) => this.idOf(part)),
    );
    return id;
  }

  /** The definitions of the types numbered since the last call, by id. */
  takeDefinitions(): (readonly [id: number, definition: Definition])[] {
    const definitions = [...this.#untold].toSorted(([a], [b]) => a - b);
    this.#untold.clear();
    return definitions;
  }
}
