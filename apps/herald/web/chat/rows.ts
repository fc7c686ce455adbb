import type { Entry, Fork } from "@orra/core"
import { dayOf } from "../i18n/index.ts"
import type { ChatState, Outbound } from "./chat-store.ts"
import type { Item } from "./items.ts"

/** A row of the transcript as it is laid out. `day` is there when a new day begins with it. */
export type Row = { readonly key: string; readonly day?: number } & (
  | { readonly type: "item"; readonly item: Item; readonly fork?: Fork; readonly isLast: boolean }
  | { readonly type: "waiting"; readonly runId: string }
  | { readonly type: "queued"; readonly input: Entry<"input"> }
  | { readonly type: "outbound"; readonly message: Outbound }
)

export function rowsOf({ view, outbox }: Pick<ChatState, "view" | "outbox">): readonly Row[] {
  const { items, queued, openRun } = view
  const forks = forksByItem(items, view.forks)
  const rows: Row[] = items.map((item, index) => {
    const previous = items[index - 1]
    const fork = forks.get(item.key)
    const isNewDay = !previous || dayOf(previous.at) !== dayOf(item.at)
    return {
      type: "item",
      key: item.key,
      item,
      isLast: index === items.length - 1,
      ...(fork && { fork }),
      ...(isNewDay && { day: dayOf(item.at) }),
    }
  })
  const last = items.at(-1)
  if (openRun !== undefined && last?.type !== "answer")
    rows.push({ type: "waiting", key: "waiting", runId: openRun })
  for (const input of queued) rows.push({ type: "queued", key: `q${input.inputId}`, input })
  for (const message of outbox) rows.push({ type: "outbound", key: `o${message.inputId}`, message })
  return rows
}

/** A fork is shown where the chosen way begins: at the first row after the place they part. */
function forksByItem(items: readonly Item[], forks: readonly Fork[]): ReadonlyMap<string, Fork> {
  const found = new Map<string, Fork>()
  for (const fork of forks) {
    const first = fork.branches[fork.current]?.first
    if (first === undefined) continue
    const index = items.findIndex((item) => item.seq >= first)
    const item = items[index]
    if (item && (index > 0 || fork.after < item.seq)) found.set(item.key, fork)
  }
  return found
}
