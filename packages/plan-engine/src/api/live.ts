import { setTimeout as pause } from "node:timers/promises"
import type { Json } from "@orra/core"
import type { NumberedAuditEntry } from "../audit/project-audit.ts"
import type { News } from "../execution/news.ts"
import { hasEnded, type Orchestration } from "../execution/orchestration.ts"
import type { Orchestrator } from "../execution/orchestrator.ts"
import type { NumberedEntry } from "../execution/recorded-log.ts"
import type { ServerEvent } from "./event-stream.ts"
import { endView, listItem } from "./plan-views.ts"

export interface LiveParts {
  readonly orchestrator: Pick<Orchestrator, "orchestrations" | "log">
  readonly news: News
  /** Ends the stream. */
  readonly signal: AbortSignal
}

/** How often it is looked for what another engine on the same store did, in ms. */
const LOOK_MS = 1_000
const READ = 100

/** An entry of a log as clients have it. Without `number` and `hash` it is what the hash is over. */
export const entryView = ({ number, hash, entry }: NumberedEntry | NumberedAuditEntry): Json =>
  ({ number, hash, ...entry }) as unknown as Json

/** The id of the event after which there is nothing more. */
const END = "end"

/**
 * The log of an orchestration as it is written, behind the entry a client had last, until the orchestration has ended.
 *
 * @returns undefined for a client that had all of it.
 */
export function followLog(
  { orchestrator, news, signal }: LiveParts,
  orchestration: Orchestration,
  lastId: string | undefined,
): AsyncIterable<ServerEvent> | undefined {
  if (lastId === END) return undefined
  const { projectId, id } = orchestration
  const log = orchestrator.log(orchestration)
  return (async function* () {
    let next = /^\d{1,9}$/.test(lastId ?? "") ? Number(lastId) + 1 : 0
    while (!signal.aborted) {
      const waiting = news.wait(id, LOOK_MS, signal)
      // First how it stands: when it has ended, all of its log is there.
      const now = await orchestrator.orchestrations.get(projectId, id)
      for (let found = READ; found === READ; ) {
        const entries = await log.from(next, READ)
        for (const entry of entries)
          yield { id: String(entry.number), event: "entry", data: entryView(entry) }
        found = entries.length
        next += found
      }
      if (hasEnded(now)) {
        yield { id: END, event: "end", data: { id, status: now.status, ...endView(now) } }
        return
      }
      await waiting
    }
  })()
}

/** Clocks of engines on the same store may differ by this much. */
const SKEW_MS = 5_000
const PAGE = 50
/** What changes within this time, in ms, is read at once. */
const TOGETHER_MS = 50

/**
 * The orchestrations of a project as they change, oldest change first, from the moment a client had last, or from now on.
 */
export async function* followList(
  { orchestrator, news, signal }: LiveParts,
  projectId: string,
  since: number,
): AsyncGenerator<ServerEvent> {
  let newest = since
  /** What was told already, by id, of the time that is looked at again. */
  const told = new Map<string, string>()
  while (!signal.aborted) {
    const waiting = news.wait(projectId, LOOK_MS, signal)
    const changed: Orchestration[] = []
    let cursor: string | undefined
    do {
      const page = await orchestrator.orchestrations.list(projectId, {
        limit: PAGE,
        ...(cursor !== undefined && { cursor }),
      })
      const fresh = page.items.filter(({ updatedAt }) => updatedAt > newest - SKEW_MS && updatedAt >= since)
      changed.push(...fresh)
      cursor = fresh.length < page.items.length ? undefined : page.cursor
    } while (cursor !== undefined)
    for (const orchestration of changed.toReversed()) {
      const { id, status, updatedAt } = orchestration
      const mark = `${status} ${updatedAt}`
      if (told.get(id) === mark) continue
      told.set(id, mark)
      newest = Math.max(newest, updatedAt)
      yield { id: String(updatedAt), event: "orchestration", data: listItem(orchestration) }
    }
    const seen = new Set(changed.map(({ id }) => id))
    for (const id of told.keys()) if (!seen.has(id)) told.delete(id)
    await waiting
    await pause(TOGETHER_MS, undefined, { signal }).catch(() => {})
  }
}
