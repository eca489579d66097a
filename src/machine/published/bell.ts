/** Something that others ring, and one waits to hear; rung while nobody listens, it is heard at once afterwards. */
import type { Clock } from "../../system/clock.ts";

export class Bell {
  #isRung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  /** True once it rings, false when the time is over before. Throws the signal's reason. */
  async heard(ms: number, clock: Clock, signal: AbortSignal): Promise<boolean> {
    if (!this.#isRung) {
      const rung = new AbortController();
      this.#wake = () => rung.abort();
      await clock.sleep(ms, AbortSignal.any([signal, rung.signal])).catch(() => {});
      this.#wake = undefined;
    }
    signal.throwIfAborted();
    const wasRung = this.#isRung;
    this.#isRung = false;
    return wasRung;
  }
}
