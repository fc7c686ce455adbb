import {
  type AppendOptions,
  type Entry,
  type EntryType,
  InvalidInput,
  keyOf,
  LeaseLost,
  type Namespace,
  type NewEntry,
  needsLease,
  type ReadOptions,
  type SessionInfo,
  VersionConflict,
} from "@orra/core"
import { type RawBuilder, sql as raw } from "kysely"
import { fromJson } from "./json.ts"
import { all, get, type Operation, run, select } from "./operation.ts"
import { currentMs, FREQUENT, isRare, type SessionRow, sql } from "./schema.ts"
import { change, changesOf } from "./session-changes.ts"
import { type Draft, described, numbered, toInfo, toRow } from "./session-row.ts"
import { type SqlValue, type Statement, statement } from "./statement.ts"

const selectSession = statement((p: { ns: string }) =>
  sql.selectFrom("sessions").selectAll().where("ns", "=", p.ns),
)
/** What changes of a session. */
const summary = (p: Readonly<SessionRow>) => ({
  version: p.version,
  updated_at: p.updated_at,
  messages: p.messages,
  open_run: p.open_run,
  waiting: p.waiting,
  deleted: p.deleted,
  folded_title: p.folded_title,
  metadata: p.metadata,
})
const insertSession = statement((p: Readonly<SessionRow>) =>
  sql
    .insertInto("sessions")
    .values({ ns: p.ns, created_at: p.created_at, ...summary(p) })
    .onConflict((conflict) => conflict.column("ns").doNothing()),
)
const updateSession = statement((p: Readonly<SessionRow> & { readonly expected: number }) =>
  sql.updateTable("sessions").set(summary(p)).where("ns", "=", p.ns).where("version", "=", p.expected),
)
const deleteSession = statement((p: { ns: string }) => sql.deleteFrom("sessions").where("ns", "=", p.ns))
/** As many entries as one statement inserts: each statement is a round trip to a server. */
const MAX_ROWS = 16

interface Inserted {
  readonly ns: string
  /** The number of the first one. */
  readonly first: number
  readonly rows: readonly Draft[]
}

/** One for each number of rows. */
const insertEntries = Array.from({ length: MAX_ROWS }, (_, more): Statement<Inserted, unknown> => {
  const row = { ns: "", seq: 0, type: "", body: "" }
  const { text } = statement(() =>
    sql.insertInto("entries").values(Array.from({ length: more + 1 }, () => row)),
  )
  return {
    text,
    bind({ ns, first, rows }) {
      const values: SqlValue[] = []
      for (const [index, { entry, body }] of rows.entries()) values.push(ns, first + index, entry.type, body)
      return values
    },
  }
})
const deleteDeltas = statement((p: { ns: string; from: number; to: number }) =>
  sql
    .deleteFrom("entries")
    .where("ns", "=", p.ns)
    .where("seq", ">=", p.from)
    .where("seq", "<=", p.to)
    .where("type", "=", "delta"),
)
/** Nobody else gets the lease until this transaction has ended. */
const selectLease = statement((p: { ns: string; token: number }) =>
  sql
    .selectFrom("leases")
    .select("token")
    .where("ns", "=", p.ns)
    .where("token", "=", p.token)
    .where("expires_at", ">", currentMs)
    .forShare(),
)

export function* info(namespace: Namespace): Operation<SessionInfo | undefined> {
  const row = yield* get(selectSession, { ns: keyOf(namespace) })
  return row && toInfo(row, namespace)
}

/** The whole of an append, inside a transaction. Checks everything before it writes anything. */
export function* append(
  namespace: Namespace,
  written: readonly Draft[],
  { expected, lease, dropDeltas }: AppendOptions,
): Operation<readonly Entry[]> {
  const ns = keyOf(namespace)
  const guarded = dropDeltas !== undefined || written.some(({ entry }) => needsLease(entry))
  const entries = numbered(
    written.map(({ entry }) => entry),
    expected,
  )
  if (written.length > 0 && expected > 0 && (lease || !guarded)) {
    const changes = changesOf(namespace, entries)
    if (changes && (yield* change(namespace, changes, expected, guarded ? lease : undefined))) {
      if (dropDeltas) yield* run(deleteDeltas, { ns, ...dropDeltas })
      yield* insert(ns, written, expected)
      return entries
    }
    // What follows says why nothing was changed, or changes more.
  }
  if (guarded) {
    const held = lease && (yield* get(selectLease, { ns, token: lease.token }))
    if (!held) throw new LeaseLost(ns)
  }
  const before = yield* info(namespace)
  const actual = before?.version ?? 0
  if (actual !== expected) throw new VersionConflict(expected, actual)

  const after = described(namespace, entries, before)
  if (!after) return []
  if (dropDeltas) yield* run(deleteDeltas, { ns, ...dropDeltas })
  if (entries.length === 0) return []
  // The session first: its entries refer to it. Somebody else may have been quicker since it was read.
  const row = toRow(after)
  const changed = before ? yield* run(updateSession, { ...row, expected }) : yield* run(insertSession, row)
  if (changed === 0) throw new VersionConflict(expected, (yield* info(namespace))?.version ?? 0)
  yield* insert(ns, written, expected)
  return entries
}

function* insert(ns: string, written: readonly Draft[], expected: number): Operation<void> {
  for (let from = 0; from < written.length; from += MAX_ROWS) {
    const rows = written.slice(from, from + MAX_ROWS)
    const statement = insertEntries[rows.length - 1]
    if (statement) yield* run(statement, { ns, first: expected + from + 1, rows })
  }
}

export function* remove(namespace: Namespace): Operation<boolean> {
  return (yield* run(deleteSession, { ns: keyOf(namespace) })) > 0
}

export function* read(namespace: Namespace, options: ReadOptions): Operation<readonly Entry[]> {
  const limit = options.limit ?? 1_000
  if (!Number.isInteger(limit) || limit < 1) {
    throw new InvalidInput("A read takes a limit of 1 or more entries.", { limit })
  }
  const window: Window = {
    ns: keyOf(namespace),
    after: options.after ?? 0,
    before: options.before ?? Number.MAX_SAFE_INTEGER,
    limit,
  }
  const backward = options.direction === "backward"
  const rows = options.types
    ? yield* readTypes([...new Set(options.types)], window, backward)
    : yield* all(backward ? lastEntries : firstEntries, window)
  return rows.map(({ seq, body }) => ({ seq, ...fromJson<NewEntry>(body) }))
}

type Window = Readonly<{ ns: string; after: number; before: number; limit: number }>

const inWindow = (p: Window, order: "asc" | "desc") =>
  sql
    .selectFrom("entries")
    .where("ns", "=", p.ns)
    .where("seq", ">", p.after)
    .where("seq", "<", p.before)
    .orderBy("seq", order)
    .limit(p.limit)

export const firstEntries = statement((p: Window) => inWindow(p, "asc").select(["seq", "body"]))
export const lastEntries = statement((p: Window) => inWindow(p, "desc").select(["seq", "body"]))

type OfTypes = Readonly<Record<string, string | number>> & Window

/** Numbers of one type through its index; SQLite uses it where the statement says what is in it. */
const numbersOf = (p: OfTypes, index: number, order: "asc" | "desc") =>
  sql.selectFrom(
    inWindow(p, order)
      .select("seq")
      .where("type", "=", p[`type${index}`] as string)
      .where(isRare)
      .as(`of${index}`),
  )

/** The numbers of the entries of so many rare types, one after the other: each is found in the index, all in one statement. */
function numbersOfRare(count: number, order: "asc" | "desc"): Statement<OfTypes, { readonly seq: number }> {
  return statement((p: OfTypes) => {
    let query = numbersOf(p, 0, order).select("seq")
    for (let index = 1; index < count; index++) {
      query = query.unionAll(numbersOf(p, index, order).select("seq"))
    }
    return query.orderBy("seq", order).limit(p.limit)
  })
}

/** The same where frequent ones are among them: the key, which has the type, is walked from one end of the window. */
function numbersOfAny(count: number, order: "asc" | "desc"): Statement<OfTypes, { readonly seq: number }> {
  return statement((p: OfTypes) =>
    inWindow(p, order)
      .select("seq")
      .where(
        "type",
        "in",
        Array.from({ length: count }, (_, index) => p[`type${index}`] as string),
      ),
  )
}

interface EntryBody {
  readonly seq: number
  readonly body: string
}

/** Made once for each number of types. */
function once<T>(make: (count: number, order: "asc" | "desc") => T): typeof make {
  const made = new Map<string, T>()
  return (count, order) => {
    const key = `${count} ${order}`
    const known = made.get(key) ?? make(count, order)
    made.set(key, known)
    return known
  }
}
export const rareFor = once(numbersOfRare)
export const anyFor = once(numbersOfAny)
/** As many as one query names. */
const MAX_NUMBERS = 500

function* readTypes(
  types: readonly EntryType[],
  window: Window,
  backward: boolean,
): Operation<readonly EntryBody[]> {
  const order = backward ? "desc" : "asc"
  const named = Object.fromEntries(types.map((type, index) => [`type${index}`, type]))
  if (types.length === 0) return []
  const numbersFor = FREQUENT.some((type) => types.includes(type)) ? anyFor : rareFor
  const wanted = yield* all(numbersFor(types.length, order), { ...window, ...named })
  const bodies: EntryBody[] = []
  for (let at = 0; at < wanted.length; at += MAX_NUMBERS) {
    const seqs = wanted.slice(at, at + MAX_NUMBERS).map(({ seq }) => seq)
    bodies.push(
      ...(yield* select(
        sql
          .selectFrom("entries")
          .select(["seq", "body"])
          .where("ns", "=", window.ns)
          .where("seq", "in", seqs),
      )),
    )
  }
  return bodies.sort((a, b) => (backward ? b.seq - a.seq : a.seq - b.seq))
}

/** ":" never occurs inside a segment of a key and ";" is the character after it: two ranges hold exactly these. */
export function atOrBelow(namespace: Namespace): RawBuilder<boolean> {
  const key = keyOf(namespace)
  return raw<boolean>`(ns = ${key} or (ns > ${`${key}:`} and ns < ${`${key};`}))`
}
