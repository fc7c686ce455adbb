/** Who wrote something: their account, or the ghost of one that is gone. */
export const login = (user: { readonly login?: string } | null | undefined): string => user?.login ?? "ghost"

export const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`

/** A day of GitHub's timestamps. */
export const day = (at: string | null | undefined): string => at?.slice(0, 10) ?? "unknown"

/** As GitHub has them: by name, or with all that it knows of them. */
type Labels = readonly (string | { readonly name?: string | null })[]

export const labelNames = (labels: Labels): readonly string[] =>
  labels.map((label) => (typeof label === "string" ? label : (label.name ?? ""))).filter(Boolean)

export const labelLine = (labels: Labels): string => `labels: ${labelNames(labels).join(", ") || "none"}`

/** Of one page: as many as GitHub gives. */
export const PER_PAGE = 100

/**
 * The first items of a list, page by page, with no page asked for that is not needed. Octokit's own paging would
 * leave out the signal.
 */
export async function firstItems<Item>(
  limit: number,
  read: (page: { readonly page: number; readonly per_page: number }) => Promise<readonly Item[]>,
  isWanted: (item: Item) => boolean = () => true,
): Promise<readonly Item[]> {
  const found: Item[] = []
  for (let page = 1; ; page++) {
    const items = await read({ page, per_page: PER_PAGE })
    found.push(...items.filter(isWanted))
    if (found.length >= limit || items.length < PER_PAGE) return found.slice(0, limit)
  }
}
