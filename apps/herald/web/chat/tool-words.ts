import { t } from "../i18n/index.ts"
import type { IconName } from "../ui/icons.tsx"

type Arguments = Readonly<Record<string, unknown>>
type Known = keyof typeof t.tools.summaries

/** Of each tool its icon, and what its call is about. */
const KNOWN: Readonly<Record<Known, readonly [IconName, (args: Arguments) => string]>> = {
  current_time: ["clock", ({ zone }) => shown(zone).replaceAll("_", " ")],
  todo: ["list", () => ""],
  ask_user: ["chat", ({ question }) => shown(question)],
  remember: ["attach", ({ content }) => shown(content)],
  recall: ["search", ({ query }) => shown(query)],
  forget: ["trash", () => ""],
  search_documents: ["search", ({ query }) => shown(query)],
  read_document: ["file", ({ id }) => shown(id)],
  list_documents: ["file", () => ""],
  generate_image: ["edit", ({ prompt }) => shown(prompt)],
  edit_image: ["edit", ({ prompt }) => shown(prompt)],
  web_fetch: ["globe", ({ url }) => hostOf(url)],
  web_search: ["search", ({ query }) => shown(query)],
  exec: ["terminal", ({ command }) => shown(command)],
  read_file: ["file", ({ path }) => shown(path)],
  write_file: ["edit", ({ path }) => shown(path)],
  edit_file: ["edit", ({ path }) => shown(path)],
  list_dir: ["folder", ({ path }) => shown(path)],
  search: ["search", ({ pattern, glob }) => shown(pattern ?? glob)],
  claude_code: ["bot", ({ task }) => shown(task)],
  claude_code_resume: ["bot", ({ follow_up }) => shown(follow_up)],
  plan: ["bot", ({ action }) => shown(action)],
  list_issues: ["branch", () => ""],
  search_issues: ["branch", ({ query }) => shown(query)],
  get_issue: ["branch", numberOf],
  create_issue: ["branch", ({ title }) => shown(title)],
  add_comment: ["branch", numberOf],
  close_issue: ["branch", numberOf],
  list_pull_requests: ["branch", () => ""],
  get_pull_request: ["branch", numberOf],
  create_pull_request: ["branch", ({ title }) => shown(title)],
  review_pull_request: ["branch", numberOf],
  comment_on_pull_request: ["branch", numberOf],
  merge_pull_request: ["branch", numberOf],
}

/** What a call is for, in a person's words, and the icon beside it. */
export function toolWords(
  name: string,
  args: Arguments,
): { readonly icon: IconName; readonly title: string } {
  const known = name === "read_url" ? "web_fetch" : name
  if (isKnown(known)) {
    const [icon, about] = KNOWN[known]
    return { icon, title: t.tools.summaries[known](about(args)) }
  }
  const [server = "", ...rest] = name.split("__")
  if (rest.length === 0) return { icon: "tool", title: t.tools.other(spaced(name)) }
  return { icon: "plug", title: t.tools.ofServer(spaced(rest.join("__")), server) }
}

/** Tools of which a group of calls only says how many there were. */
const KINDS: readonly (readonly [RegExp, keyof typeof t.tools.kinds])[] = [
  [/^exec$/, "commands"],
  [/^(?:read_(?:file|document|url)|web_fetch|list_dir|get_issue|get_pull_request)$/, "reads"],
  [/^(?:search|web_search|search_(?:documents|issues)|recall)$/, "searches"],
  [/^(?:write|edit)_file$/, "changes"],
]

/** How many calls of which kind, in the order the kinds came: "13 commands · 6 reads". */
export function countWords(names: readonly string[]): string {
  const counts = new Map<string, { readonly words: (count: number) => string; count: number }>()
  for (const name of names) {
    const kind = KINDS.find(([tools]) => tools.test(name))?.[1]
    const title = toolWords(name, {}).title
    const key = kind ?? title
    const words = kind ? t.tools.kinds[kind] : (count: number) => t.tools.times(title, count)
    const known = counts.get(key)
    if (known) known.count++
    else counts.set(key, { words, count: 1 })
  }
  return [...counts.values()].map(({ words, count }) => words(count)).join(" · ")
}

const isKnown = (name: string): name is Known => Object.hasOwn(KNOWN, name)

const spaced = (name: string): string => name.replaceAll(/[._-]+/g, " ").trim()

const MAX_LENGTH = 120

/** Characters that turn the order of others around, and those that nobody sees. */
const MISLEADING = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** The first line that says something, cut where it is long or more follows: the whole is among the arguments. */
function shown(value: unknown): string {
  if (typeof value !== "string") return ""
  const [line = "", ...more] = value.trim().split("\n")
  const points = [...line.replace(MISLEADING, "")]
  const start = points.slice(0, MAX_LENGTH).join("")
  return points.length > MAX_LENGTH || more.length > 0 ? `${start}…` : start
}

function numberOf({ number }: Arguments): string {
  return typeof number === "number" ? ` #${number}` : ""
}

function hostOf(url: unknown): string {
  const text = String(url)
  return URL.canParse(text) ? new URL(text).host : ""
}
