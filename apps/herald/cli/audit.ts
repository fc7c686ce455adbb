import { everyItem, type Json, type JsonObject, Namespace, OrraError } from "@orra/core"
import type { Audit } from "@orra/store-sql"
import { verifyAudit } from "../server/activity/verify.ts"
import { discordRoot, HERALD, type LoadedConfig, principals } from "../server/config/load.ts"
import { existingStore } from "../server/data/store.ts"
import { PEERS } from "../server/federation/peers.ts"

/** `herald audit`. */
export interface AuditTask {
  readonly type: "audit"
  /** Only this namespace and what is below it. */
  readonly namespace?: string
  readonly last: number
  readonly isJson: boolean
  readonly verify: boolean
}

interface Event {
  readonly namespace: string
  readonly event: JsonObject
}

/**
 * Who did what, the newest last, or whether all of it is as it was written. Herald may be running.
 *
 * @throws OrraError `no_data`; `audit_broken` when a link is not as it was written.
 */
export async function shownAudit({ config, dataDir }: LoadedConfig, task: AuditTask): Promise<string> {
  const store = await existingStore({ config, dataDir })
  if (!store)
    throw new OrraError("no_data", `There is nothing in ${dataDir}: name the data directory with --data-dir.`)
  const roots =
    task.namespace === undefined
      ? [...principals(config), discordRoot(config), PEERS, HERALD]
      : [Namespace.parse(task.namespace)]
  try {
    const found = task.verify
      ? await verified(store.audit, roots)
      : lines(await newest(store.audit, roots, task.last), task.isJson)
    const isOff = found === "" && !config.audit.enabled
    return isOff ? "Nothing is written down: set audit.enabled = true, and restart Herald." : found
  } finally {
    await store.close()
  }
}

async function verified(audit: Audit, roots: readonly Namespace[]): Promise<string> {
  const { chains, links } = await verifyAudit(audit, roots)
  return links === 0 ? "" : `All ${links} links of ${chains} chains are as they were written.`
}

async function newest(audit: Audit, roots: readonly Namespace[], last: number): Promise<readonly Event[]> {
  let events: Event[] = []
  const cut = (): void => {
    events = events.sort((a, b) => timeOf(a) - timeOf(b)).slice(-last)
  }
  for (const root of roots) {
    for await (const { namespace, events: all } of everyItem((page) => audit.list(root, page))) {
      for (const event of all) events.push({ namespace: namespace.key, event })
      if (events.length > 2 * last + 1_000) cut()
    }
  }
  cut()
  return events
}

const timeOf = ({ event }: Event): number => Number(event["at"])

const lines = (events: readonly Event[], isJson: boolean): string =>
  events
    .map(({ namespace, event }) => {
      if (isJson) return JSON.stringify({ namespace, ...event })
      const { at, type, entry: _, ...facts } = event
      const when = new Date(Number(at)).toISOString().slice(0, 19).replace("T", " ")
      const said = Object.entries(facts).map(([name, value]) => `${name}=${textOf(value)}`)
      return [when, namespace, type, said.join(" ")].join("  ")
    })
    .join("\n")

/** Words as they are; what has spaces or signs in quotes, and policies and limits, which are JSON in text, as that. */
const textOf = (value: Json): string =>
  typeof value === "string" && /^([\w.:-]+|[[{][^\p{C}]*)$/u.test(value) ? value : JSON.stringify(value)
