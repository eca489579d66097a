/** Lists in pages, and things that lists do not show yet. */
import type { Json } from "./answers.ts";

export class Shelf {
  /** Things on a page; small, so that every list has several. */
  pageSize = 2;
  readonly #hiddenFor = new Map<string, number>();

  /** Lists do not show it until they were asked for so many times. */
  hide(id: string, lists: number): void {
    this.#hiddenFor.set(id, lists);
  }

  isHidden(id: string): boolean {
    const lists = this.#hiddenFor.get(id) ?? 0;
    if (lists > 0) this.#hiddenFor.set(id, lists - 1);
    return lists > 0;
  }
}

/** One page, with a link to the next as Nova, Neutron and Cinder write it. */
export function paged(shelf: Shelf, member: string, all: readonly Json[], query: URLSearchParams): Json {
  const { page, next } = pageOf(shelf, all, query);
  const links =
    next === undefined
      ? {}
      : { [`${member}_links`]: [{ rel: "next", href: `http://behind.the.proxy.example/${member}?marker=${next}` }] };
  return { [member]: page, ...links };
}

export function pageOf(
  shelf: Shelf,
  all: readonly Json[],
  query: URLSearchParams,
): { readonly page: readonly Json[]; readonly next: string | undefined } {
  const marker = query.get("marker");
  const from = marker === null ? 0 : all.findIndex(({ id }) => id === marker) + 1;
  const size = Math.min(shelf.pageSize, Number(query.get("limit") ?? shelf.pageSize));
  const page = all.slice(from, from + size);
  return { page, next: from + size < all.length ? String(page.at(-1)?.["id"]) : undefined };
}
