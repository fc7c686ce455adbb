import type { Entry } from "@orra/core"
import { api } from "../api/api.ts"
import { formatFullTime, t } from "../i18n/index.ts"
import { type AnswerItem, addEntry, type Item } from "./items.ts"
import { attachmentsOf, textOf } from "./parts.ts"

/** The whole chat on its current branch, oldest entry first. */
async function allEntries(namespace: string): Promise<readonly Entry[]> {
  let entries: readonly Entry[] = []
  for (;;) {
    const page = await api.history(namespace, entries[0]?.seq, 1_000)
    entries = [...page.entries, ...entries]
    if (!page.more || page.entries.length === 0) return entries
  }
}

/** The chat as a file. */
export async function exportChat(
  namespace: string,
  title: string,
  format: "md" | "html" | "json",
): Promise<string> {
  if (format === "md") return await chatAsMarkdown(namespace, title)
  if (format === "json") return await chatAsJson(namespace)
  const { htmlOfChat } = await import("./export-html.ts")
  return htmlOfChat((await allEntries(namespace)).reduce(addEntry, []), title)
}

/** The chat as a Markdown document. */
async function chatAsMarkdown(namespace: string, title: string): Promise<string> {
  const items = (await allEntries(namespace)).reduce(addEntry, [])
  return `${[`# ${title}`, ...items.map(itemAsMarkdown)].join("\n\n")}\n`
}

/** The chat as its entries, as the server keeps them. */
const chatAsJson = async (namespace: string): Promise<string> =>
  JSON.stringify({ namespace, entries: await allEntries(namespace) }, null, 2)

function itemAsMarkdown(item: Item): string {
  const who =
    item.type === "user" ? (item.message.origin?.name ?? t.chat.you) : (item.agent ?? t.chat.assistant)
  const head = `**${who}** · ${formatFullTime(item.at)}`
  return [head, ...(item.type === "user" ? userTexts(item) : answerTexts(item))].join("\n\n")
}

const userTexts = ({ message: { parts } }: Extract<Item, { type: "user" }>): readonly string[] => [
  ...attachmentsOf(parts).map((part) => `*${part.type === "file" ? part.name : t.chat.image}*`),
  textOf(parts),
]

export const answerTexts = ({ messages, calls, end }: AnswerItem): readonly string[] => [
  ...messages.flatMap(({ parts }) =>
    parts.flatMap((part) => {
      if (part.type === "text") return [part.text]
      if (part.type === "thinking") return []
      const status = calls[part.id]?.result?.part.status
      return [
        `> \`${part.name}\` ${JSON.stringify(part.arguments ?? {})}${status ? ` · ${t.tools[status]}` : ""}`,
      ]
    }),
  ),
  ...(end?.error ? [`> ${end.error.message}`] : []),
]
