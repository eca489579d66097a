/** Making something once at a provider that knows no idempotency keys: what may be there is looked for before it is made again. */
import { failureKindOf, isUncertain } from "./provider-error.ts";

export interface OneThing<Thing> {
  /** It may have been asked for by an earlier call. */
  readonly mayExist: boolean;
  find(): Promise<Thing | undefined>;
  make(): Promise<Thing>;
}

/** Finds or makes it; asks at most twice for it. Throws what `make` throws. */
export async function createOnce<Thing>({ mayExist, find, make }: OneThing<Thing>): Promise<Thing> {
  const earlier = mayExist ? await find() : undefined;
  return earlier ?? (await makeOrFind({ find, make }, true));
}

async function makeOrFind<Thing>(thing: Pick<OneThing<Thing>, "find" | "make">, again: boolean): Promise<Thing> {
  try {
    return await thing.make();
  } catch (error) {
    const unclear = isUncertain(error);
    if (!unclear && failureKindOf(error) !== "exists") throw error;
    const found = await thing.find();
    if (found !== undefined) return found;
    if (!unclear || !again) throw error;
    return await makeOrFind(thing, false);
  }
}
