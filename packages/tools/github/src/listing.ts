/** Who wrote something: their account, or the ghost of one that is gone. */
export const login = (user: { readonly login?: string } | null | undefined): string => user?.login ?? "ghost"

export const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`

/** A day of GitHub's timestamps. */
export const day = (at: string | null | undefined): string => at?.slice(0, 10) ?? "unknown"

export const labelNames = (
  labels: readonly (string | { readonly name?: string | null })[],
): readonly string[] =>
  labels.map((label) => (typeof label === "string" ? label : (label.name ?? ""))).filter(Boolean)

/** The first items of pages, with no page asked for that is not needed. */
export async function firstItems<Page, Item>(
  pages: AsyncIterable<{ readonly data: Page }>,
  limit: number,
  itemsOf: (page: Page) => readonly Item[],
): Promise<readonly Item[]> {
  const found: Item[] = []
  for await (const { data } of pages) {
    found.push(...itemsOf(data))
    if (found.length >= limit) break
  }
  return found.slice(0, limit)
}
