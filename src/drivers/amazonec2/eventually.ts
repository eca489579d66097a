/** EC2 shows what it made to some requests later than to others: for a minute "not found" only means "not yet". */
import { isNotFound } from "../../driver-kit/provider-error.ts";
import { poll } from "../../system/waiting.ts";
import { pace, settleMs, type Workplace } from "./workplace.ts";

/**
 * Asks until there is an answer. Throws what `ask` throws but for "not found", which is thrown once the minute is over.
 * @param isNotYet tells which failures are waited out.
 */
export async function untilVisible<Answer>(
  { context }: Pick<Workplace, "context">,
  signal: AbortSignal,
  ask: () => Promise<Answer | undefined>,
  isNotYet: (error: unknown) => boolean = isNotFound,
): Promise<Answer> {
  return await poll(
    { ms: settleMs, clock: context.clock, signal },
    pace,
    async ({ note }) => {
      try {
        return await ask();
      } catch (error) {
        if (!isNotYet(error)) throw error;
        note(error);
        return undefined;
      }
    },
    (last) => last ?? new Error("AWS does not show what it made"),
  );
}
