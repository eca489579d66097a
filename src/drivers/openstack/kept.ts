/** What is asked for once and used by all who come later, those who come meanwhile included. A failure is not kept. */

export class Kept<Value> {
  #promise: Promise<Value> | undefined;

  async get(ask: () => Promise<Value>): Promise<Value> {
    if (this.#promise !== undefined) return await this.#promise;
    const asked = ask();
    this.#promise = asked;
    try {
      return await asked;
    } catch (error) {
      if (this.#promise === asked) this.#promise = undefined;
      throw error;
    }
  }

  /** Undefined while there is nothing, or it is being asked for in vain. */
  async now(): Promise<Value | undefined> {
    return await this.#promise?.catch(() => undefined);
  }

  forget(): void {
    this.#promise = undefined;
  }
}
