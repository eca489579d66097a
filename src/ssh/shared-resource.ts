/** One thing that many use: opened by whoever comes first, replaced when it is found dead, closed once. */
interface ResourceKind<T> {
  open(): Promise<T>;
  isAlive(resource: T): Promise<boolean>;
  close(resource: T): Promise<void>;
}

export class SharedResource<T> {
  readonly #kind: ResourceKind<T>;
  #current: Promise<T> | undefined;

  constructor(kind: ResourceKind<T>) {
    this.#kind = kind;
  }

  /** The resource, opened now or found alive. A failure to open is everybody's who waits, and the next call tries again. */
  async get(): Promise<T> {
    const known = this.#current;
    const resource = await (known ?? this.#open());
    if (known === undefined || (await this.#kind.isAlive(resource))) return resource;
    if (this.#current === known) {
      this.#current = undefined;
      await this.#kind.close(resource);
    }
    return await (this.#current ?? this.#open());
  }

  /** Nobody has asked for it yet, or nobody has got it. */
  get isUnopened(): boolean {
    return this.#current === undefined;
  }

  async close(): Promise<void> {
    const resource = await this.#current?.catch(() => undefined);
    if (resource !== undefined) await this.#kind.close(resource);
  }

  #open(): Promise<T> {
    const attempt = this.#kind.open();
    this.#current = attempt;
    attempt.catch(() => {
      if (this.#current === attempt) this.#current = undefined;
    });
    return attempt;
  }
}
