import { keyOf, Namespace, randomId } from "@orra/core"
import { hashOf, type Link, linkOf } from "./audit-chain.ts"
import { all, get, type Operation, run, select, within } from "./operation.ts"
import { sql } from "./schema.ts"
import { atOrBelow } from "./session-tables.ts"
import { statement } from "./statement.ts"

/** Links read or moved at a time. */
const PAGE = 500

export interface Head {
  readonly ns: string
  readonly links: number
  readonly hash: string
}

export interface LinkRow {
  readonly ns: string
  readonly link: number
  readonly body: string
  readonly revealed: string | null
  readonly hash: string
}

/** Nobody else adds to the chain until this transaction has ended. */
const lockHead = statement((p: { ns: string }) =>
  sql.selectFrom("audit_heads").selectAll().where("ns", "=", p.ns).forUpdate(),
)
const insertHead = statement((p: { ns: string; links: number; hash: string }) =>
  sql
    .insertInto("audit_heads")
    .values({ ns: p.ns, links: p.links, hash: p.hash })
    .onConflict((conflict) => conflict.column("ns").doNothing()),
)
const updateHead = statement((p: { ns: string; links: number; hash: string }) =>
  sql.updateTable("audit_heads").set({ links: p.links, hash: p.hash }).where("ns", "=", p.ns),
)
const insertLink = statement((p: Readonly<LinkRow>) =>
  sql
    .insertInto("audit")
    .values({ ns: p.ns, link: p.link, body: p.body, revealed: p.revealed, hash: p.hash }),
)
const selectLinks = statement((p: { ns: string; after: number; limit: number }) =>
  sql
    .selectFrom("audit")
    .selectAll()
    .where("ns", "=", p.ns)
    .where("link", ">", p.after)
    .orderBy("link")
    .limit(p.limit),
)
const selectNewest = statement((p: { ns: string; before: number; limit: number }) =>
  sql
    .selectFrom("audit")
    .selectAll()
    .where("ns", "=", p.ns)
    .where("link", "<", p.before)
    .orderBy("link", "desc")
    .limit(p.limit),
)
/** Links beyond the end that the head knows. */
const selectSurplus = statement((p: { ns: string }) =>
  sql
    .selectFrom("audit")
    .select("link")
    .where("ns", "=", p.ns)
    .where("link", ">", (eb) =>
      eb
        .selectFrom("audit_heads")
        .select((head) => head.fn.coalesce(head.fn.max("links"), head.lit(0)).as("links"))
        .where("ns", "=", p.ns),
    )
    .orderBy("link")
    .limit(1),
)

/** Adds a link to the chain of the namespace, in the transaction of what it is about. */
export function* add(namespace: Namespace, { body, revealed }: Link): Operation<void> {
  const ns = keyOf(namespace)
  let head = yield* get(lockHead, { ns })
  if (!head) {
    yield* run(insertHead, { ns, links: 0, hash: "" })
    head = yield* get(lockHead, { ns })
  }
  const links = (head?.links ?? 0) + 1
  const hash = hashOf(head?.hash ?? "", body)
  yield* run(updateHead, { ns, links, hash })
  yield* run(insertLink, { ns, link: links, body, revealed, hash })
}

export const linksAfter = (ns: string, after: number): Operation<readonly LinkRow[]> =>
  all(selectLinks, { ns, after, limit: PAGE })

export const newestLinks = (ns: string, before: number, limit: number): Operation<readonly LinkRow[]> =>
  all(selectNewest, { ns, before, limit })

export function* surplus(ns: string): Operation<number | undefined> {
  return (yield* get(selectSurplus, { ns }))?.link
}

/** The heads at or below the prefix of chains that no session has, by namespace. */
export function* headsWithoutSession(prefix: Namespace, after: string): Operation<readonly Head[]> {
  return yield* select(
    headsAfter(prefix, after).where(
      "ns",
      "not in",
      sql.selectFrom("sessions").select("ns").where(atOrBelow(prefix)),
    ),
  )
}

const headsAfter = (prefix: Namespace, after: string) =>
  sql
    .selectFrom("audit_heads")
    .selectAll()
    .where(atOrBelow(prefix))
    .where("ns", ">", after)
    .orderBy("ns")
    .limit(PAGE)

/** The chains at or below the prefix, by namespace. One that lost its head is as one without links. */
export function* heads(prefix: Namespace, after: string): Operation<readonly Head[]> {
  const known = yield* select(headsAfter(prefix, after))
  const headless = yield* select(
    sql
      .selectFrom("audit")
      .select("ns")
      .distinct()
      .where(atOrBelow(prefix))
      .where("ns", ">", after)
      .where("ns", "not in", sql.selectFrom("audit_heads").select("ns"))
      .orderBy("ns")
      .limit(PAGE),
  )
  const all = [...known, ...headless.map(({ ns }) => ({ ns, links: 0, hash: "" }))]
  return all.sort((a, b) => (a.ns < b.ns ? -1 : 1)).slice(0, PAGE)
}

export function* links(
  prefix: Namespace,
  after: Readonly<{ ns: string; link: number }> | undefined,
  limit: number,
): Operation<readonly LinkRow[]> {
  let query = sql
    .selectFrom("audit")
    .selectAll()
    .where(atOrBelow(prefix))
    .orderBy("ns")
    .orderBy("link")
    .limit(limit)
  if (after) {
    query = query.where((eb) =>
      eb.or([eb("ns", ">", after.ns), eb.and([eb("ns", "=", after.ns), eb("link", ">", after.link)])]),
    )
  }
  return yield* select(query)
}

/**
 * Takes from the chains at and below the prefix everything that identifies: what the digests stand for, and the
 * namespace. Each goes on under a name that means nothing, beside what is erased, and can still be verified.
 */
export function* forget(prefix: Namespace, at: number): Operation<void> {
  const chains: Head[] = []
  for (let page: readonly Head[] = [], more = true; more; more = page.length === PAGE) {
    page = yield* within(prefix, heads(prefix, chains.at(-1)?.ns ?? ""))
    chains.push(...page)
  }
  for (const { ns, links, hash } of chains) {
    const nameless = beside(prefix)
    for (;;) {
      const rows = yield* within(prefix, linksAfter(ns, 0))
      const last = rows.at(-1)
      if (!last) break
      yield* within(prefix, removed("audit", ns, last.link))
      const values = rows.map((row) => ({ ...row, ns: nameless.key, revealed: null }))
      yield* within(nameless, written(values))
    }
    yield* within(prefix, removed("audit_heads", ns))
    yield* within(nameless, run(insertHead, { ns: nameless.key, links, hash }))
    const { body } = linkOf(nameless, () => [{ type: "erased", at }])
    yield* within(nameless, add(nameless, { body, revealed: null }))
  }
}

function* removed(table: "audit" | "audit_heads", ns: string, upTo?: number): Operation<void> {
  const all = sql.deleteFrom(table).where("ns", "=", ns)
  const query =
    upTo === undefined ? all : sql.deleteFrom("audit").where("ns", "=", ns).where("link", "<=", upTo)
  yield { type: "query", query, rows: false }
}

function* written(values: readonly LinkRow[]): Operation<void> {
  yield { type: "query", query: sql.insertInto("audit").values(values), rows: false }
}

/** Room for a segment of a random name. */
const LONGEST_KEY = 980

function beside({ parent }: Namespace): Namespace {
  const name = `erased-${randomId()}`
  return parent && parent.key.length <= LONGEST_KEY ? parent.child(name) : Namespace.of("erased", name)
}
