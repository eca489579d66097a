/** Glance of the fake: images, in pages. */
import { ok, refusedByGlance, routed, type Answer, type Exchange, type Route } from "./answers.ts";
import { images } from "./catalogue.ts";
import { pageOf, type Shelf } from "./shelf.ts";

export class FakeGlance {
  readonly #shelf: Shelf;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  readonly #routes: readonly Route[] = [
    [/^GET \/images$/u, ({ query }) => this.#list(query)],
    [/^GET \/images\/([^/]+)$/u, (_e, wanted) => this.#show(wanted)],
  ];

  async answer(exchange: Exchange): Promise<Answer | undefined> {
    return await routed(this.#routes, exchange);
  }

  #list(query: URLSearchParams): Answer {
    const [name, status] = [query.get("name"), query.get("status")];
    const found = images.filter((each) => (name === null || each.name === name) && (status === null || each.status === status));
    const { page, next } = pageOf(this.#shelf, found, query);
    const more = next === undefined ? {} : { next: `/v2/images?marker=${next}` };
    return ok({ images: page, first: "/v2/images", schema: "/v2/schemas/images", ...more });
  }

  #show(wanted: string): Answer {
    const image = images.find(({ id }) => id === wanted);
    return image === undefined ? refusedByGlance(404, "Not Found", `No image found with ID ${wanted}`) : ok(image);
  }
}
