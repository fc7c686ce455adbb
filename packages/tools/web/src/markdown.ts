import TurndownService from "turndown"

/** A link around more text than this is an anchor that was never closed. */
const MAX_LINK_TEXT = 500

/** Of the DOM, what is looked at here. */
interface Node {
  readonly nodeName: string
  readonly className: string
  readonly textContent: string
  readonly nextSibling: unknown
  readonly isBlock?: boolean
  readonly getAttribute: (name: string) => string | null
}

type Rule = (content: string, node: Node) => string

/** Of what turndown does otherwise: code, lists, links and emphasis in linear time, and whatever stands in them. */
const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...["H1", "H2", "H3", "H4", "H5", "H6"].map((name) => [name, heading] as const),
  ["STRONG", (content) => marked(content, "**")],
  ["EM", (content) => marked(content, "*")],
  ["DEL", (content) => marked(content, "~~")],
  ["A", link],
  ["IMG", (_content, node) => `(image: ${escaped(oneLine(node.getAttribute("alt") ?? ""))})`],
  ["CODE", (_content, node) => inlineCode(node.textContent)],
  ["PRE", (_content, node) => codeBlock(node)],
  ["BLOCKQUOTE", quote],
  ["LI", item],
  ["BR gap", () => "\n\n"],
  ["DIV table", (content) => `\n\n${content}\n\n`],
  ["DIV head", (content, node) => `\n|${content}\n|${" --- |".repeat(Number(node.getAttribute("cells")))}\n`],
  ["DIV row", (content) => `\n|${content}\n`],
  ["DIV cell", cell],
  ["TITLE", () => ""],
])

/** What a rule is for: an element, and the part it has where it stands for something else. */
const partOf = ({ nodeName, className }: Node): string =>
  (nodeName === "DIV" || nodeName === "BR") && className ? `${nodeName} ${className}` : nodeName

/** The Markdown of an outline. */
export function markdownOf(outline: string): string {
  const service = new TurndownService({
    hr: "---",
    br: "",
    blankReplacement: (_content, node) => blank(node as never),
    defaultReplacement: (content, node) => (isBlock(node as never) ? `\n${content}\n` : content),
  })
  service.escape = escaped
  service.addRule("parts", {
    filter: (node) => RULES.has(partOf(node)),
    replacement: (content, node) => RULES.get(partOf(node as never))?.(content, node as never) ?? content,
  })
  return service.turndown(outline)
}

const isBlock = (node: Node): boolean => node.isBlock === true

/** Of what has no text, an empty cell is left. */
const blank = (node: Node): string =>
  partOf(node) === "DIV cell" ? " |" : isBlock(node) && node.nodeName !== "LI" ? "\n" : ""

const oneLine = (content: string): string =>
  content
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean)
    .join(" ")

function heading(content: string, { nodeName }: Node): string {
  return `\n\n${"#".repeat(Number(nodeName[1]))} ${oneLine(content)}\n\n`
}

/** Emphasis does not reach from one block into another. */
const marked = (content: string, mark: string): string =>
  content.trim() === "" || content.includes("\n") ? content : `${mark}${content}${mark}`

/** A link is on one line, also around a heading or several paragraphs. */
function link(content: string, node: Node): string {
  const href = node.getAttribute("href")
  const text = oneLine(content)
  if (!href || text === "" || text.length > MAX_LINK_TEXT) return content
  const [heading = ""] = /^#{1,6} /.exec(text) ?? []
  const [before] = /^\n*/.exec(content) ?? []
  const after = content.slice(content.trimEnd().length)
  return `${before}${heading}[${text.slice(heading.length)}](${href})${after}`
}

function cell(content: string): string {
  const text = oneLine(content).replaceAll("|", "\\|")
  return text === "" ? " |" : ` ${text} |`
}

function quote(content: string): string {
  const lines = content.trim().split("\n")
  const text = lines.map((line) => (line === "" ? ">" : `> ${line}`)).join("\n")
  return lines.join("") === "" ? "\n" : `\n\n${text}\n\n`
}

function item(content: string, { className, nextSibling }: Node): string {
  const mark = className || "- "
  const text = content.trim().replace(/\n(?!\n)/g, `\n${" ".repeat(mark.length)}`)
  if (text === "") return ""
  return `${mark}${text}${content.endsWith("\n") ? "\n" : ""}${nextSibling ? "\n" : ""}`
}

function inlineCode(text: string): string {
  const code = text.replace(/\s+/g, " ").trim()
  if (code === "") return ""
  const mark = fence(code, 1)
  const pad = code.startsWith("`") || code.endsWith("`") ? " " : ""
  return `${mark}${pad}${code}${pad}${mark}`
}

/** More white space in code than this is cut: turndown's last trim would try every place in it. */
const MAX_SPACE = 200
const LONG_SPACE = new RegExp(`\\s{${MAX_SPACE},}`, "g")

function codeBlock({ textContent, className }: Node): string {
  const code = textContent
    .replace(/^\n/, "")
    .trimEnd()
    .replace(LONG_SPACE, (space) => space.slice(0, MAX_SPACE))
  if (code === "") return "\n\n"
  const mark = fence(code, 3)
  const language = /(?:^|\s)lang(?:uage)?-([\w+#-]{1,30})(?:\s|$)/.exec(className)?.[1] ?? ""
  return `\n\n${mark}${language}\n${code}\n${mark}\n\n`
}

/** Backticks, one more than the longest run in the code. */
function fence(code: string, least: number): string {
  let longest = least - 1
  for (const [run] of code.matchAll(/`+/g)) longest = Math.max(longest, run.length)
  return "`".repeat(longest + 1)
}

/** Backslashes where text would otherwise become a mark. */
function escaped(text: string): string {
  return text
    .replace(/[\\`*[\]<]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "\\$&")
    .replace(/^(\s*)(#{1,6}(?=\s|$)|[+-](?=\s|$)|-{2,}|=+(?=\s|$)|~{3}|>)/, "$1\\$2")
    .replace(/^(\s*\d{1,9})([.)](?=\s|$))/, "$1\\$2")
}
