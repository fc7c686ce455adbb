const set = (names: string): ReadonlySet<string> => new Set(names.split(" "))

/** Elements without content (WHATWG HTML, 13.1.2). */
export const VOID = set("area base br col embed hr img input link meta param source track wbr")

/** What no reader sees, or cannot be told in text. */
export const DROPPED = set(
  "script style template noembed noframes iframe object canvas audio video svg select datalist textarea",
)

/** Elements that start and end a line. */
export const BLOCK = set(
  "address article aside body center details dialog dd dir div dl dt fieldset figcaption figure footer form frameset " +
    "h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav ol p pre search section summary table tbody " +
    "td tfoot th thead tr ul blockquote caption listing optgroup option xmp",
)

/** Blocks with a blank line around them. */
export const SPACED = set(
  "p pre listing xmp blockquote ul ol dl table figure h1 h2 h3 h4 h5 h6 hr section article fieldset",
)

/** What a table of data does not have in its cells: with these inside, the table is there for its layout. */
export const LAYOUT = set("h1 h2 h3 h4 h5 h6 ul ol dl pre blockquote table hr article section form main nav")

/** What an end tag does not reach out of: a cell is a page of its own, and so is what is dropped. */
export const SCOPE: ReadonlySet<string> = new Set(["td", "th", "caption", "table", ...DROPPED])

/**
 * Elements whose end tag may be left out, with the elements that end them and how far out that reaches: a new item
 * ends the item before it in the same list, and not the one that the list stands in (WHATWG HTML, 13.1.2.4).
 */
export const IMPLIED_END: ReadonlyMap<
  string,
  { readonly closes: readonly string[]; readonly within: readonly string[] }
> = new Map([
  ["li", { closes: ["li"], within: ["ul", "ol", "menu", "dir"] }],
  ["dt", { closes: ["dt", "dd"], within: ["dl"] }],
  ["dd", { closes: ["dt", "dd"], within: ["dl"] }],
  ["tr", { closes: ["tr", "td", "th", "caption"], within: ["table"] }],
  ["td", { closes: ["td", "th"], within: ["table", "tr"] }],
  ["th", { closes: ["td", "th"], within: ["table", "tr"] }],
  ["thead", { closes: ["tr", "td", "th", "thead", "tbody", "tfoot", "caption"], within: ["table"] }],
  ["tbody", { closes: ["tr", "td", "th", "thead", "tbody", "tfoot", "caption"], within: ["table"] }],
  ["tfoot", { closes: ["tr", "td", "th", "thead", "tbody", "tfoot", "caption"], within: ["table"] }],
])

/** Emphasis, and the mark it becomes. */
export const MARKS: ReadonlyMap<string, string> = new Map([
  ["b", "**"],
  ["strong", "**"],
  ["i", "*"],
  ["em", "*"],
  ["cite", "*"],
  ["dfn", "*"],
  ["s", "~~"],
  ["del", "~~"],
  ["strike", "~~"],
])

/** Elements whose text is code within a line. */
export const CODE = set("code kbd samp tt var")
