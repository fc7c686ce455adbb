import {
  DummyDriver,
  Kysely,
  sql as raw,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely"
import type { Change, Dialect } from "./statement.ts"

/** The tables. The namespace key is part of every primary key: no row can be reached without it. */
export interface Tables {
  sessions: SessionRow
  entries: EntryRow
  leases: LeaseRow
  records: RecordRow
  audit: AuditRow
  audit_heads: AuditHeadRow
  /** SQLite only: PostgreSQL has sequences, for which no transaction waits. */
  counters: CounterRow
}

/** A session's summary, kept with its log so that listing never reads one. Times are ms since 1970. */
export interface SessionRow {
  ns: string
  version: number
  created_at: number
  updated_at: number
  messages: number
  open_run: string | null
  /** What the open run waits for, as JSON. */
  waiting: string | null
  deleted: number
  /** `foldCase` of the title: SQLite's own lower() knows ASCII only. */
  folded_title: string
  metadata: string
}

interface EntryRow {
  ns: string
  seq: number
  type: string
  /** The entry as JSON, which has an escape for lone surrogates, where a plain text column would lose them. */
  body: string
}

interface LeaseRow {
  ns: string
  token: number
  owner: string
  expires_at: number
}

interface RecordRow {
  ns: string
  collection: string
  key: string
  value: string
  version: number
  updated_at: number
}

/** A link of a namespace's chain: what was done in one transaction. */
interface AuditRow {
  ns: string
  link: number
  /** Canonical JSON in which everything that could tell of whom it speaks is a digest. */
  body: string
  /** What the digests stand for, as JSON; null once the namespace was erased. */
  revealed: string | null
  /** Of the hash before it and the body. */
  hash: string
}

/** Where a chain ends: links that were cut off its end are missed. */
interface AuditHeadRow {
  ns: string
  links: number
  hash: string
}

/** What only grows. Lease tokens and versions of records are counted for the whole store, so that they outlive the row. */
interface CounterRow {
  name: string
  value: number
}

/**
 * Writes SQL and never runs it: statements are compiled once for each database, so the query builder costs nothing
 * where it matters.
 */
export const sql = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

/** The time by the database's own clock, ms since 1970: several processes never agree on theirs. */
export const currentMs = raw<number>`current_ms()`

/**
 * A step from one format of the database to the next, where it has to be with other changes for each of the two.
 * Published steps never change.
 */
export type Migration = readonly Change[] | Readonly<Record<Dialect, readonly Change[]>>

export const changesIn = (step: Migration, dialect: Dialect): readonly Change[] =>
  dialect in step ? (step as Record<Dialect, readonly Change[]>)[dialect] : (step as readonly Change[])

/**
 * Types of which there are so many that an index would cost each append more than a walk over the narrow key costs
 * whoever asks for them.
 */
export const FREQUENT = [
  "delta",
  "assistant",
  "tool_intent",
  "tool_result",
  "run_started",
  "run_finished",
] as const

/** Entries that the index of types has. A query uses it only when it says the same. */
export const isRare = raw<boolean>`type not in (${raw.join(FREQUENT.map((type) => raw.lit(type)))})`

const createTypes = sql.schema
  .createIndex("entries_type")
  .on("entries")
  .columns(["ns", "type", "seq"])
  .where(isRare)

/** The format of a database is the number of these it has been through. */
export const migrations: readonly Migration[] = [
  [
    sql.schema
      .createTable("sessions")
      .addColumn("ns", "text", (column) => column.primaryKey().notNull())
      .addColumn("version", "bigint", (column) => column.notNull())
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("updated_at", "bigint", (column) => column.notNull())
      .addColumn("messages", "bigint", (column) => column.notNull())
      .addColumn("open_run", "text")
      .addColumn("deleted", "integer", (column) => column.notNull())
      .addColumn("folded_title", "text", (column) => column.notNull())
      .addColumn("metadata", "text", (column) => column.notNull()),
    sql.schema
      .createTable("entries")
      .addColumn("ns", "text", (column) => column.notNull().references("sessions.ns").onDelete("cascade"))
      .addColumn("seq", "bigint", (column) => column.notNull())
      .addColumn("type", "text", (column) => column.notNull())
      .addColumn("body", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("entries_key", ["ns", "seq"]),
    // Deltas are most of what is written and are soon gone: they stay out of the index.
    sql.schema
      .createIndex("entries_type")
      .on("entries")
      .columns(["ns", "type", "seq"])
      .where("type", "<>", "delta"),
    sql.schema
      .createTable("leases")
      .addColumn("ns", "text", (column) => column.primaryKey().notNull())
      .addColumn("token", "bigint", (column) => column.notNull())
      .addColumn("owner", "text", (column) => column.notNull())
      .addColumn("expires_at", "bigint", (column) => column.notNull()),
    sql.schema
      .createTable("records")
      .addColumn("ns", "text", (column) => column.notNull())
      .addColumn("collection", "text", (column) => column.notNull())
      .addColumn("key", "text", (column) => column.notNull())
      .addColumn("value", "text", (column) => column.notNull())
      .addColumn("updated_at", "bigint", (column) => column.notNull())
      .addPrimaryKeyConstraint("records_key", ["ns", "collection", "key"]),
    sql.schema
      .createTable("counters")
      .addColumn("name", "text", (column) => column.primaryKey().notNull())
      .addColumn("value", "bigint", (column) => column.notNull()),
    sql.insertInto("counters").values({ name: "lease_token", value: 0 }),
  ],
  // Compare and swap of records, and listing those below a namespace in the order of the key.
  [
    sql.schema
      .alterTable("records")
      .addColumn("version", "bigint", (column) => column.notNull().defaultTo(1)),
    sql.schema.createIndex("records_below").on("records").columns(["collection", "ns", "key"]),
    sql.insertInto("counters").values({ name: "record_version", value: 1 }),
  ],
  // Runs that wait for approval.
  [sql.schema.alterTable("sessions").addColumn("waiting", "text")],
  // The newest sessions of all, without sorting them.
  [sql.schema.createIndex("sessions_recent").on("sessions").columns(["deleted", "updated_at", "ns"])],
  // Who did what, as a chain for each namespace. No reference to its session, which it outlives.
  [
    sql.schema
      .createTable("audit")
      .addColumn("ns", "text", (column) => column.notNull())
      .addColumn("link", "bigint", (column) => column.notNull())
      .addColumn("body", "text", (column) => column.notNull())
      .addColumn("revealed", "text")
      .addColumn("hash", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("audit_key", ["ns", "link"]),
    sql.schema
      .createTable("audit_heads")
      .addColumn("ns", "text", (column) => column.primaryKey().notNull())
      .addColumn("links", "bigint", (column) => column.notNull())
      .addColumn("hash", "text", (column) => column.notNull()),
  ],
  // The key has the type beside it, and the index of types leaves out what each turn is full of.
  {
    sqlite: [
      sql.schema
        .createTable("entries_of_6")
        .addColumn("ns", "text", (column) => column.notNull().references("sessions.ns").onDelete("cascade"))
        .addColumn("seq", "bigint", (column) => column.notNull())
        .addColumn("type", "text", (column) => column.notNull())
        .addColumn("body", "text", (column) => column.notNull())
        .addPrimaryKeyConstraint("entries_key", ["ns", "seq", "type"]),
      raw`insert into entries_of_6 select ns, seq, type, body from entries order by ns, seq`,
      sql.schema.dropTable("entries"),
      sql.schema.alterTable("entries_of_6").renameTo("entries"),
      createTypes,
    ],
    postgres: [
      sql.schema.dropIndex("entries_type"),
      raw`alter table entries drop constraint entries_key, add constraint entries_key primary key (ns, seq) include (type)`,
      createTypes,
    ],
  },
]
