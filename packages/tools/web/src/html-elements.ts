const set = (names: string): ReadonlySet<string> => new Set(names.split(" "))

/** Elements without content (WHATWG HTML, 13.1.2), as htmlparser2 has them. */
export const VOID = set(
  "area base basefont br col command embed frame hr img input isindex keygen link meta param source track wbr",
)

/** What no reader sees, or cannot be told in text. */
export const DROPPED = set(
  "script style template noembed noframes iframe object canvas audio video svg math select datalist textarea",
)

/** Elements that start and end a line. */
export const BLOCK = set(
  "address article aside body center details dialog dd dir div dl dt fieldset figcaption figure footer form frameset " +
    "h1 h2 h3 h4 h5 h6 head header hgroup hr html legend li main menu nav ol p pre search section summary table tbody " +
    "td tfoot th thead tr ul blockquote caption listing optgroup option xmp",
)

/** Blocks with a blank line around them. */
export const SPACED = set(
  "p pre listing xmp blockquote ul ol dl table figure h1 h2 h3 h4 h5 h6 hr section article fieldset",
)

/** What a table of data does not have in its cells: with these inside, the table is there for its layout. */
export const LAYOUT = set("h1 h2 h3 h4 h5 h6 ul ol dl pre blockquote table hr article section form main nav")

/**
 * Elements that end where the next one of their name begins, and what that does not reach out of: an item ends the
 * item before it in the same list, and not the one that the list stands in (WHATWG HTML, 13.1.2.4).
 */
export const ENDED_BY_NEXT: ReadonlyMap<string, readonly string[]> = new Map([
  ["a", []],
  ["li", ["ul", "ol", "menu", "dir"]],
  ["dt", ["dl"]],
  ["dd", ["dl"]],
  ["tr", ["table"]],
  ["td", ["table", "tr"]],
  ["th", ["table", "tr"]],
])

/** Parts of tables, whose end tags reach out of a cell. */
export const TABLE_PARTS = set("table td th tr tbody thead tfoot caption")

/** What elements are kept as, when they have a meaning in Markdown. */
export const KEPT: ReadonlyMap<string, string> = new Map([
  ...["h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li", "table", "tr", "td", "a", "hr"].map(
    (name) => [name, name] as const,
  ),
  ...["menu", "dir"].map((name) => [name, "ul"] as const),
  ...["pre", "listing", "xmp"].map((name) => [name, "pre"] as const),
  ...["code", "kbd", "samp", "tt", "var"].map((name) => [name, "code"] as const),
  ...["b", "strong"].map((name) => [name, "strong"] as const),
  ...["i", "em", "cite", "dfn"].map((name) => [name, "em"] as const),
  ...["s", "del", "strike"].map((name) => [name, "del"] as const),
  ["th", "td"],
  ["img", "img"],
  ["title", "title"],
  ["base", "base"],
])
