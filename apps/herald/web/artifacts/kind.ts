const KINDS: Readonly<Record<string, string>> = { htm: "html", md: "markdown", mmd: "mermaid" }

/** A language by one of its names; that of a document by one name only. */
export const kindOf = (language: string): string => {
  const lower = language.toLowerCase()
  return KINDS[lower] ?? lower
}

/** What can be shown as what it is: a page, a picture, a diagram, a text. */
export const isShown = (language: string): boolean => /^(?:html|svg|mermaid|markdown)$/.test(kindOf(language))

/** Code of fewer lines is read where it stands. */
const LINES = 12

/** Whether a block is worth a look of its own. */
export const isLarge = ({ code, language }: { readonly code: string; readonly language: string }): boolean =>
  isShown(language) || code.split("\n", LINES).length === LINES
