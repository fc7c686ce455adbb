import {
  decodeCursor,
  encodeCursor,
  firstPage,
  foldCase,
  frozenCopy,
  type Json,
  type JsonObject,
  keyOf,
  type ListOptions,
  Namespace,
  type Page,
  pageLimit,
  type SessionInfo,
} from "@orra/core"
import { sql as raw } from "kysely"
import { fromJson } from "./json.ts"
import { all, get, lists, type Operation } from "./operation.ts"
import { type SessionRow, sql } from "./schema.ts"
import { withoutNul } from "./session-row.ts"
import { type Built, type Dialect, type Statement, statement } from "./statement.ts"

/** What a list shows, in this order: as lists of values rows cost half of what they do as objects. */
const COLUMNS = [
  "ns",
  "version",
  "created_at",
  "updated_at",
  "messages",
  "open_run",
  "waiting",
  "metadata",
] as const

type Row = Pick<SessionRow, (typeof COLUMNS)[number]>
type Values = readonly [
  ns: string,
  version: number,
  createdAt: number,
  updatedAt: number,
  messages: number,
  openRun: string | null,
  waiting: string | null,
  metadata: string,
]

type Parameters = Readonly<{
  /** The key of the prefix, and the two between which those below it lie. */
  ns: string
  from: string
  to: string
  deleted: number
  /** Where the page before ended. */
  at: number
  key: string
  title: string
  limit: number
}>

/** As many of the newest sessions of all are looked at before anything is asked about a tenant's own. */
const NEWEST = 1_000
/** So many sessions of a tenant are sorted in some ms; of more, the newest are found by walking the newest of all. */
const SORTED = 20_000

/** See `atOrBelow`. */
const below = (p: Parameters) => raw<boolean>`((ns > ${p.from} and ns < ${p.to}) or ns = ${p.ns})`

const hasMore = statement((p: Pick<Parameters, "from" | "to"> & { readonly offset: number }) =>
  sql
    .selectFrom("sessions")
    .select("ns")
    .where("ns", ">", p.from)
    .where("ns", "<", p.to)
    .limit(1)
    .offset(p.offset),
)

/** The statements of one kind of list: for SQLite, whose planner knows nothing of tenants, and for PostgreSQL. */
interface Lists {
  /** Looks at the newest of all, in the index only, and at the rows of what it gives back. */
  readonly newest: Statement<Parameters, Values>
  /** Walks from the newest on until the page is full. */
  readonly walked: Statement<Parameters, Values>
  /** Sorts all that are below. */
  readonly sorted: Statement<Parameters, Values>
  /** Planned each time: which way is best depends on whose sessions they are, which the statistics know. */
  readonly planned: Statement<Parameters, Row>
}

const made = new Map<string, Lists>()

export function listsFor(options: ListOptions): Lists {
  const { cursor, openRun, waiting, title } = options
  const kind = [cursor !== undefined, openRun, waiting, title].map((part) => (part ? "1" : "0")).join("")
  const lists = made.get(kind) ?? makeLists(options)
  made.set(kind, lists)
  return lists
}

function makeLists({ cursor, openRun, waiting, title }: ListOptions): Lists {
  const after = (p: Parameters) =>
    cursor === undefined ? raw<boolean>`true` : raw<boolean>`(updated_at, ns) < (${p.at}, ${p.key})`
  const page = (p: Parameters, sessions: ReturnType<typeof sessionsBy>) => {
    let query = sql.selectFrom(sessions).select(COLUMNS).where(below(p)).where(after(p)).limit(p.limit)
    if (openRun) query = query.where("open_run", "is not", null)
    if (waiting) query = query.where("waiting", "is not", null)
    // Not LIKE: a "%" that someone looks for is a percent sign. Both databases know `replace`.
    if (title) query = query.where(raw<boolean>`replace(folded_title, ${p.title}, '') <> folded_title`)
    return query
  }
  const newest = (p: Parameters) =>
    sql
      .selectFrom(sessionsBy("indexed by sessions_recent"))
      .select(["ns as place", raw<number>`rowid`.as("id")])
      .where("deleted", "=", p.deleted)
      .where(after(p))
      .orderBy("updated_at", "desc")
      .orderBy("ns", "desc")
      .limit(raw.lit(NEWEST))
  return {
    newest: asValues((p) =>
      sql
        .selectFrom(newest(p).as("newest"))
        .crossJoin("sessions as s")
        .select(COLUMNS)
        .where(raw<boolean>`s.rowid = newest.id`)
        .where(raw<boolean>`((place > ${p.from} and place < ${p.to}) or place = ${p.ns})`)
        .limit(p.limit),
    ),
    walked: asValues((p) =>
      page(p, sessionsBy("indexed by sessions_recent"))
        .where("deleted", "=", p.deleted)
        .orderBy("updated_at", "desc")
        .orderBy("ns", "desc"),
    ),
    // With a plus a column is of no use to an index.
    sorted: asValues((p) =>
      page(p, sessionsBy(""))
        .where(raw<boolean>`+deleted = ${p.deleted}`)
        .orderBy(raw`+updated_at`, "desc")
        .orderBy(raw`+ns`, "desc"),
    ),
    planned: {
      ...statement((p: Parameters) =>
        page(p, sessionsBy(""))
          .where("deleted", "=", p.deleted)
          .orderBy("updated_at", "desc")
          .orderBy("ns", "desc"),
      ),
      anew: true,
    },
  }
}

const sessionsBy = (how: string) => raw<SessionRow>`sessions`.as<"s">(raw`s ${raw.raw(how)}`)

/** A statement whose rows are asked for as lists of values. */
const asValues = (build: (p: Parameters) => Built<Row>): Statement<Parameters, Values> =>
  statement<Parameters, never>(build as never)

export function* list(
  prefix: Namespace,
  options: ListOptions,
  dialect: Dialect,
  decoded: Decoder,
): Operation<Page<SessionInfo>> {
  const limit = pageLimit(options.limit)
  const after = options.cursor === undefined ? undefined : decodeCursor(options.cursor)
  const ns = keyOf(prefix)
  const parameters: Parameters = {
    ns,
    from: `${ns}:`,
    to: `${ns};`,
    deleted: options.deleted ? 1 : 0,
    at: after?.updatedAt ?? 0,
    key: after?.key ?? "",
    title: options.title ? withoutNul(foldCase(options.title)) : "",
    limit: limit + 1,
  }
  const rows =
    dialect === "postgres"
      ? (yield* all(listsFor(options).planned, parameters)).map(toValues)
      : yield* rowsOf(options, parameters)
  return firstPage(rows.map(decoded), limit, ({ updatedAt, namespace: { key } }) =>
    encodeCursor({ updatedAt, key }),
  )
}

/** Each way costs the same however many sessions of others there are, or less than walking past all of them. */
function* rowsOf(options: ListOptions, parameters: Parameters): Operation<readonly Values[]> {
  const { newest, walked, sorted } = listsFor(options)
  const { openRun, waiting, title } = options
  if (!openRun && !waiting && !title) {
    const rows = yield* lists(newest, parameters)
    if (rows.length === parameters.limit) return rows
  }
  const { from, to } = parameters
  const isLarge = yield* get(hasMore, { from, to, offset: SORTED })
  return yield* lists(isLarge ? walked : sorted, parameters)
}

const toValues = (row: Row): Values => COLUMNS.map((column) => row[column]) as unknown as Values

/** Sessions that are kept as they were listed last. */
const MAX_KNOWN = 1_000

export type Decoder = (row: Values) => SessionInfo

/**
 * Makes sessions of rows, and gives the same one again for a row that is still the same: whoever shows a list asks for
 * nearly the same again and again.
 */
export function decoder(): Decoder {
  const known = new Map<string, { readonly row: Values; readonly info: SessionInfo }>()
  return (row) => {
    const before = known.get(row[0])
    if (before && isSame(row, before.row)) return before.info
    if (known.size >= MAX_KNOWN) known.clear()
    const info = infoOf(row)
    known.set(row[0], { row, info })
    return info
  }
}

function isSame(row: Values, before: Values): boolean {
  for (let index = 1; index < COLUMNS.length; index++) if (row[index] !== before[index]) return false
  return true
}

/** Frozen: whoever asks for the list again gets this very object. */
const infoOf = ([
  ns,
  version,
  createdAt,
  updatedAt,
  messages,
  openRun,
  waiting,
  metadata,
]: Values): SessionInfo =>
  Object.freeze({
    namespace: Namespace.parse(ns),
    version,
    createdAt,
    updatedAt,
    messages,
    ...(openRun !== null && { openRun }),
    ...(waiting !== null && { waiting: frozenJson<NonNullable<SessionInfo["waiting"]>>(waiting) }),
    metadata: frozenJson<JsonObject>(metadata),
  })

const frozenJson = <T>(text: string): T => frozenCopy(fromJson<Json>(text)) as T
