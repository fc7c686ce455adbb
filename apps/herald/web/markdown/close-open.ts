import { openMath, withoutMath } from "./math-tokens.ts"

/**
 * Makes Markdown that was cut anywhere look like Markdown that ends there: open emphasis and code are closed, half
 * a link shows its text, a table's first row is a table at once, and marks that could still become anything wait.
 */
export function closeOpen(text: string): string {
  const fence = openFence(text)
  if (fence) return withoutPartialFence(text, fence)
  const start = lastBlockStart(text)
  const head = text.slice(0, start)
  const block = text.slice(start)
  // In a formula that fills the end of a block, nothing else is a mark.
  if (/^ {0,3}(?:\$\$|\\\[)/m.test(block.slice(openMath(block) ?? block.length))) return text
  return head + (asTable(block) ?? closeInline(withoutPartialMark(block)))
}

interface Fence {
  readonly mark: string
}

/** The fence that the text is inside of at its end. */
function openFence(text: string): Fence | undefined {
  let open: Fence | undefined
  for (const line of text.split("\n")) {
    const found = /^(?:[ >]|[-*+] |\d+[.)] )*(`{3,}|~{3,})(.*)$/.exec(line)
    if (!found) continue
    const [, mark = "", rest = ""] = found
    if (!open) {
      if (mark.startsWith("~") || !rest.includes("`")) open = { mark }
    } else if (mark[0] === open.mark[0] && mark.length >= open.mark.length && rest.trim() === "") {
      open = undefined
    }
  }
  return open
}

/** Half of the closing fence is not part of the code. */
function withoutPartialFence(text: string, { mark }: Fence): string {
  const line = text.slice(text.lastIndexOf("\n") + 1)
  const trimmed = line.trim()
  const isPartial = trimmed !== "" && trimmed.length < mark.length && mark.startsWith(trimmed)
  return isPartial && text.includes("\n") ? text.slice(0, text.length - line.length) : text
}

function lastBlockStart(text: string): number {
  const end = text.trimEnd().length
  const gap = text.lastIndexOf("\n\n", end)
  return gap < 0 ? 0 : gap + 2
}

/** A header row without its line of dashes would be a paragraph for a moment, full of bars. */
function asTable(block: string): string | undefined {
  const lines = block.split("\n")
  const first = lines.findIndex((line) => /^\s*\|/.test(line))
  if (first < 0) return undefined
  const [header = "", rule] = lines.slice(first)
  const hasMore = lines.length > first + 2
  if (hasMore) {
    // Rows are closed like any other text, cell by cell.
    const last = lines.at(-1) ?? ""
    const cell = last.lastIndexOf("|") + 1
    return [...lines.slice(0, -1), last.slice(0, cell) + closeInline(last.slice(cell))].join("\n")
  }
  if (rule !== undefined && !/^[\s|:-]*$/.test(rule)) return undefined
  const columns = Math.max(
    1,
    header
      .trim()
      .replace(/^\||\|$/g, "")
      .split(/(?<!\\)\|/).length,
  )
  const closed = `|${header.trim().replace(/^\||\|$/g, "")}|`
  return [...lines.slice(0, first), closed, `|${" --- |".repeat(columns)}`].join("\n")
}

/** A line of nothing but marks (a list's dash, a heading's underline, a rule) waits until it is clear what it is. */
function withoutPartialMark(block: string): string {
  const newline = block.lastIndexOf("\n")
  const line = block.slice(newline + 1)
  if (
    /^\s*(?:[-*+=_]{1,2}|#{1,6}|>|\d+[.)]?|`{1,2}|~{1,2})\s*$/.test(line) &&
    (newline >= 0 || !/^\d/.test(line))
  ) {
    return block.slice(0, newline + 1)
  }
  return block
}

/** Closes what a paragraph, heading or list item has open at its end. */
function closeInline(block: string): string {
  const paragraph = block.lastIndexOf("\n- ") // Emphasis does not reach over list items.
  const from = Math.max(0, paragraph)
  let rest = block.slice(from)

  const code = openCode(rest)
  if (code !== undefined) {
    const content = rest.slice(code.at + code.mark.length)
    if (content.trim() === "") return block.slice(0, from) + rest.slice(0, code.at)
    return (
      block.slice(0, from) +
      closeEmphasis(rest.slice(0, code.at), rest.slice(code.at) + partialClose(code.mark, content))
    )
  }
  const formula = openMath(rest)
  if (formula !== undefined) {
    return block.slice(0, from) + closeEmphasis(rest.slice(0, formula), rest.slice(formula).trimEnd())
  }
  rest = withoutPartialTag(closeLink(rest))
  return block.slice(0, from) + closeEmphasis(rest, "")
}

const partialClose = (mark: string, content: string): string => {
  const has = /`*$/.exec(content)?.[0].length ?? 0
  return "`".repeat(Math.max(0, mark.length - has))
}

/** The code span that is not closed, outside of those that are. */
function openCode(text: string): { readonly at: number; readonly mark: string } | undefined {
  let open: { at: number; mark: string } | undefined
  for (const { 0: run, index } of text.matchAll(/(?<!\\)`+/g)) {
    if (!open) open = { at: index, mark: run }
    else if (run.length === open.mark.length) open = undefined
  }
  return open
}

/** `[text](addr` and `[text` show their text; an image shows nothing yet. */
function closeLink(text: string): string {
  const found = /(!?)\[([^[\]]*)(?:\](?:\([^)]*)?)?$/.exec(text)
  if (!found || isInMath(text, found.index) || text[found.index - 1] === "\\") return text
  const [whole, image = "", label = ""] = found
  if (whole.endsWith("]") && !image) return text
  const isTask = /^(?:\s*[-*+]\s)$/.test(text.slice(text.lastIndexOf("\n", found.index) + 1, found.index))
  if (isTask && !whole.includes("](")) return text.slice(0, found.index)
  return text.slice(0, found.index) + (image ? "" : label)
}

const withoutPartialTag = (text: string): string =>
  text.replace(/<\/?[a-zA-Z][^<>]*$|<\/?$/, (tag, at: number) => (isInMath(text, at) ? tag : ""))

const isInMath = (text: string, at: number): boolean => withoutMath(text)[at] !== text[at]

/** Closes the emphasis that is open at the end, in the right order. `tail` is a code span that ends the text. */
function closeEmphasis(text: string, tail: string): string {
  const open = openEmphasis(text)
  if (tail !== "") return text + tail + closers(open)
  const run = /(?<!\\)(?:\*{1,3}|_{1,3}|~{1,2})$/.exec(text)?.[0] ?? ""
  const before = text.slice(0, text.length - run.length)
  // Nothing is in it yet: whether it opens, or was meant as it stands, is not known.
  if (run !== "" && (before === "" || /[\s([{>"']$/.test(before))) return closed(before, open)
  const innermost = open.at(-1) ?? ""
  if (run !== "" && run.length < innermost.length && innermost.startsWith(run)) {
    return text + innermost.slice(run.length) + closers(open.slice(0, -1))
  }
  return closed(text, open)
}

function openEmphasis(text: string): readonly string[] {
  const open: string[] = []
  const plain = withoutMath(text)
  for (const { 0: run, index } of plain.matchAll(/(?<!\\)(?:\*{1,3}|_{1,3}|~~)/g)) {
    const before = plain[index - 1] ?? " "
    const after = plain[index + run.length] ?? " "
    const canOpen = !/\s/.test(after) && (run[0] !== "_" || /[\s\p{P}]/u.test(before))
    const canClose = !/\s/.test(before) && (run[0] !== "_" || /[\s\p{P}]/u.test(after))
    for (const mark of run.length === 3 ? [run.slice(0, 2), run.slice(0, 1)] : [run]) {
      const at = open.lastIndexOf(mark)
      if (canClose && at >= 0) open.splice(at)
      else if (canOpen) open.push(mark)
    }
  }
  return open
}

/** A closing mark must follow something that is not a space. */
const closed = (text: string, open: readonly string[]): string =>
  open.length === 0 ? text : text.trimEnd() + closers(open)

const closers = (open: readonly string[]): string => open.toReversed().join("")
