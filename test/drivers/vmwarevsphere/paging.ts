/** Answers of the property collector in parts, as real ones give them of large inventories; the simulator gives all at once. */

const objects = /<objects>.*?<\/objects>/gsu;

export class Pages {
  readonly #waiting = new Map<string, readonly string[]>();

  /** The whole answer with the first of its objects, and a token for the others. */
  first(answer: string, size: number): string {
    const all = answer.match(objects) ?? [];
    if (all.length <= size) return answer;
    return answer.replace(all.join(""), () => this.#page(all, size));
  }

  next(token: string, size: number): string {
    const rest = this.#waiting.get(token) ?? [];
    this.#waiting.delete(token);
    const page = this.#page(rest, size);
    return `<ContinueRetrievePropertiesExResponse xmlns="urn:vim25"><returnval>${page}</returnval></ContinueRetrievePropertiesExResponse>`;
  }

  #page(all: readonly string[], size: number): string {
    const rest = all.slice(size);
    const token = `rest-${rest.length}`;
    if (rest.length > 0) this.#waiting.set(token, rest);
    return `${rest.length > 0 ? `<token>${token}</token>` : ""}${all.slice(0, size).join("")}`;
  }
}
