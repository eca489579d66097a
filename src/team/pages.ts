/** Takes pages one after the other; the next one is on its way meanwhile. @param next undefined behind the last page */
export async function takePages<P, T>(
  first: P,
  next: (page: P) => Promise<P> | undefined,
  take: (page: P) => Promise<T>,
): Promise<T[]> {
  const taken: T[] = [];
  for (let page = first; ;) {
    const following = next(page);
    // Told below, once this page is taken.
    following?.catch(() => {});
    taken.push(await take(page));
    if (following === undefined) return taken;
    page = await following;
  }
}
