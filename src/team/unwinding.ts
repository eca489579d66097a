/** What was taken, to be given back in the opposite order, once. (`AsyncDisposableStack` is unknown to Node 22.) */
import type { FileLock } from "../system/file-lock.ts";

export class Unwinding {
  #steps: (() => Promise<void>)[] = [];

  /** A lock of all that is taken, with what `take` tells of it; where that throws, what it had taken is given back. */
  static async lock<T extends object>(take: (stack: Unwinding) => Promise<T>): Promise<FileLock & T> {
    const stack = new Unwinding();
    const release = async (): Promise<void> => await stack.run();
    try {
      return { ...(await take(stack)), release, [Symbol.asyncDispose]: release };
    } catch (error) {
      await release();
      throw error;
    }
  }

  /** Is given back in its turn. */
  use<T extends AsyncDisposable>(taken: T): T {
    this.defer(async () => await taken[Symbol.asyncDispose]());
    return taken;
  }

  defer(step: () => Promise<void>): void {
    this.#steps.push(step);
  }

  /** All steps are taken, whatever one of them throws; the first of that is thrown then. */
  async run(): Promise<void> {
    const steps = this.#steps.reverse();
    this.#steps = [];
    const failures: unknown[] = [];
    for (const step of steps) await step().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }
}
