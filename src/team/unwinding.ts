/** What was taken, to be given back in the opposite order, once. (`AsyncDisposableStack` is unknown to Node 22.) */
export class Unwinding {
  #steps: (() => Promise<void>)[] = [];

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
