import { firstPage, InvalidInput, type JsonObject, keyOf, Namespace, type Page, pageLimit } from "@orra/core"
import { eventsOf, hashOf, isRevealed, linkOf } from "./audit-chain.ts"
import {
  add,
  type Head,
  heads,
  headsWithoutSession,
  type LinkRow,
  links,
  linksAfter,
  newestLinks,
  surplus,
} from "./audit-table.ts"
import { within } from "./operation.ts"
import type { Carrier } from "./session-store.ts"

/** One link of a namespace's chain: what was written in one transaction. */
export interface AuditLink {
  readonly namespace: Namespace
  /** Its number in the chain, from 1. */
  readonly link: number
  /** What happened, in order. Each has a `type` and `at`, ms since 1970. */
  readonly events: readonly JsonObject[]
  /** SHA-256 of the hash before it and of what it says, in hex. */
  readonly hash: string
}

/** The end of a chain. Kept elsewhere, it shows later that nothing before it was changed, not even by the database's owner. */
export interface AuditHead {
  readonly namespace: Namespace
  readonly links: number
  readonly hash: string
}

/**
 * The first link of a chain that is not as it was written: its text, hash, number or what it reveals was `changed`, it is
 * `missing`, or it was `added`.
 */
export interface BrokenLink {
  readonly namespace: Namespace
  readonly link: number
  readonly reason: "changed" | "missing" | "added"
}

/**
 * Who did what: a chain of hashes for each namespace, whose links are written in the transactions they are about.
 *
 * ```ts
 * const { items } = await store.audit.list(Namespace.of("household"))
 * const broken = await store.audit.verify(Namespace.of("household")) // undefined when nothing is
 * ```
 */
export interface Audit {
  /** The links of the namespace and of all below, by namespace and number. */
  list(
    namespace: Namespace,
    options?: { readonly limit?: number; readonly cursor?: string },
  ): Promise<Page<AuditLink>>
  /** Links of this namespace alone, the newest first: those before `before`, at most `limit` (1 to 500, default 50). */
  newest(
    namespace: Namespace,
    options?: { readonly before?: number; readonly limit?: number },
  ): Promise<readonly AuditLink[]>
  /**
   * The ends of the chains of the namespace and of all below; with `withoutSession` only of those that are no session's, or no
   * longer: what is in them stands nowhere else.
   */
  heads(namespace: Namespace, options?: { readonly withoutSession?: boolean }): Promise<readonly AuditHead[]>
  /**
   * Reads all links of the namespace and of all below. With heads that were kept elsewhere it also finds chains that were
   * cut or written anew together with their heads.
   *
   * @returns the first broken link, undefined when there is none.
   */
  verify(
    namespace: Namespace,
    options?: { readonly kept?: readonly AuditHead[] },
  ): Promise<BrokenLink | undefined>
  /**
   * Adds what the application did itself: an export, a grant, a change of rights. Texts under `by`, `principal`,
   * `reason`, `scope` and `key` are forgotten when the namespace is erased; put nothing personal under other names.
   *
   * @throws InvalidInput unless the event is JSON with a `type`.
   */
  record(namespace: Namespace, event: JsonObject & { readonly type: string }): Promise<void>
}

export function auditOver({ read, write, now }: Carrier): Audit {
  const everyHead = async function* (
    prefix: Namespace,
    pageAfter = heads,
  ): AsyncGenerator<Head, void, undefined> {
    for (let after = ""; ; ) {
      const page = await read(() => within(prefix, pageAfter(prefix, after)))
      yield* page
      const last = page.at(-1)
      if (!last) return
      after = last.ns
    }
  }
  const everyLink = async function* (namespace: Namespace): AsyncGenerator<LinkRow, void, undefined> {
    for (let after = 0; ; ) {
      const page = await read(() => within(namespace, linksAfter(namespace.key, after)))
      yield* page
      const last = page.at(-1)
      if (!last) return
      after = last.link
    }
  }
  const verifyChain = async (
    head: Head,
    kept: ReadonlyMap<number, string>,
  ): Promise<BrokenLink | undefined> => {
    const namespace = Namespace.parse(head.ns)
    const broken = (link: number, reason: BrokenLink["reason"]): BrokenLink => ({ namespace, link, reason })
    let before = ""
    let count = 0
    for await (const row of everyLink(namespace)) {
      if (row.link !== count + 1) return broken(count + 1, "missing")
      if (row.hash !== hashOf(before, row.body) || !isTrue(namespace, row)) return broken(row.link, "changed")
      if ((kept.get(row.link) ?? row.hash) !== row.hash) return broken(row.link, "changed")
      before = row.hash
      count++
      if (count === head.links && row.hash !== head.hash) return broken(count, "changed")
    }
    if (count < Math.max(head.links, ...kept.keys())) return broken(count + 1, "missing")
    const added = await read(() => within(namespace, surplus(head.ns)))
    return added === undefined ? undefined : broken(added, "added")
  }

  return {
    async list(namespace, options = {}) {
      const limit = pageLimit(options.limit)
      const after = options.cursor === undefined ? undefined : parseCursor(options.cursor)
      const rows = await read(() => within(namespace, links(namespace, after, limit + 1)))
      return firstPage(rows.map(linkIn), limit, (last) => `${last.link}\n${last.namespace.key}`)
    },
    async newest(namespace, { before = Number.MAX_SAFE_INTEGER, limit } = {}) {
      const key = keyOf(namespace)
      const rows = await read(() => within(namespace, newestLinks(key, before, pageLimit(limit))))
      return rows.map(linkIn)
    },
    async heads(namespace, { withoutSession = false } = {}) {
      const found: AuditHead[] = []
      const pageAfter = withoutSession ? headsWithoutSession : heads
      for await (const { ns, links, hash } of everyHead(namespace, pageAfter)) {
        found.push({ namespace: Namespace.parse(ns), links, hash })
      }
      return found
    },
    async verify(namespace, { kept = [] } = {}) {
      keyOf(namespace)
      const keptOf = Map.groupBy(
        kept.filter((head) => namespace.contains(head.namespace)),
        (head) => head.namespace.key,
      )
      for await (const head of everyHead(namespace)) {
        const known = keptOf.get(head.ns) ?? []
        keptOf.delete(head.ns)
        const broken = await verifyChain(head, new Map(known.map(({ links, hash }) => [links, hash])))
        if (broken) return broken
      }
      const [gone] = [...keptOf.values()].flat()
      return gone && { namespace: gone.namespace, link: 1, reason: "missing" }
    },
    async record(namespace, event) {
      keyOf(namespace)
      if (typeof event.type !== "string") throw new InvalidInput("An event of the audit has a `type`.")
      const link = linkOf(namespace, () => [{ at: now(), ...event }])
      await write(() => within(namespace, add(namespace, link)))
    },
  }
}

const linkIn = ({ ns, link, body, revealed, hash }: LinkRow): AuditLink => ({
  namespace: Namespace.parse(ns),
  link,
  events: eventsOf(body, revealed),
  hash,
})

/** Whether what the link reveals is what its digests were made of. */
function isTrue(namespace: Namespace, { body, revealed }: LinkRow): boolean {
  try {
    return revealed === null || isRevealed(namespace, body, revealed)
  } catch {
    return false
  }
}

function parseCursor(cursor: string): { readonly ns: string; readonly link: number } {
  const [link, ns] = cursor.split("\n")
  if (ns === undefined || !/^\d+$/.test(link ?? "")) {
    throw new InvalidInput("This is no cursor of a list: pass back the one of the page before.")
  }
  return { ns, link: Number(link) }
}
