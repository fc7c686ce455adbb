import { setTimeout } from "node:timers/promises"
import { OrraError, StoreError } from "@orra/core"
import type { Client, Pool, PoolClient, PoolConfig } from "pg"
import { CorruptRow } from "./errors.ts"
import type { Operation, Outcome, Step } from "./operation.ts"
import { Changes } from "./postgres-changes.ts"
import { type Migration, migrations } from "./schema.ts"
import { compiled, type Statement } from "./statement.ts"

export interface PostgresOptions {
  readonly url: string
  readonly schema: string
  readonly maxConnections: number
  /** How long a call goes on trying while the server cannot be reached. */
  readonly patienceMs: number
  /** Instead of the server's clock, for tests. */
  readonly now: (() => number) | undefined
  /** Told of connections that break while nobody uses them. */
  readonly onError: (error: unknown) => void
}

/** Any number: whoever migrates the same schema waits for whoever began. */
const MIGRATION_LOCK = 0x4f72_7261
const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 500

/**
 * The one place where SQL meets PostgreSQL: carries operations out over a few connections, and turns its errors into
 * StoreErrors. What could not have been done is tried again while the server restarts.
 */
export class Postgres {
  readonly #pool: Pool
  readonly #options: PostgresOptions
  readonly #names = new Map<Statement<never, unknown>, string>()
  readonly changes: Changes

  private constructor(pool: Pool, options: PostgresOptions, connect: () => Promise<Client>) {
    this.#pool = pool
    this.#options = options
    const { schema, onError } = options
    this.changes = new Changes({
      channel: `orra_${schema}`,
      connect,
      send: (text) => pool.query(text),
      onError,
    })
  }

  /** Connects and brings the schema to the present format. @throws StoreError. */
  static async open(options: PostgresOptions): Promise<Postgres> {
    // Only now: who uses SQLite need not load it.
    const { default: pg } = await import("pg")
    const bigint = pg.types.builtins.INT8
    const config: PoolConfig = {
      connectionString: options.url,
      connectionTimeoutMillis: options.patienceMs,
      // Another word than the schema's name can be in nobody's search path.
      options: `-c search_path=${options.schema}`,
      application_name: "orra",
      types: {
        // Numbers, counters and times stay below 2^53; the driver gives text to be on the safe side.
        getTypeParser: (type, format) => (type === bigint ? Number : pg.types.getTypeParser(type, format)),
      },
    }
    const pool = new pg.Pool({ ...config, max: options.maxConnections })
    pool.on("error", options.onError)
    // A connection that breaks says so to whoever asked something of it, and once more here, also when it is let go.
    pool.on("connect", (client) => client.on("error", () => {}))
    const postgres = new Postgres(pool, options, async () => {
      const client = new pg.Client(config)
      // A broken connection says so here as well, also before anybody listens.
      client.on("error", () => {})
      await client.connect()
      return client
    })
    try {
      await postgres.#migrate()
      return postgres
    } catch (error) {
      await pool.end()
      throw error
    }
  }

  /** Each step sees what was committed when it began. */
  read<T>(operation: () => Operation<T>): Promise<T> {
    return this.#patiently((client) => this.#perform(client, operation()))
  }

  /** One transaction, durable when the promise resolves. May run the operation again. */
  write<T>(operation: () => Operation<T>): Promise<T> {
    return this.#patiently(async (client) => {
      await client.query("BEGIN")
      let value: T
      try {
        value = await this.#perform(client, operation())
      } catch (error) {
        await client.query("ROLLBACK")
        throw error
      }
      await commit(client)
      return value
    })
  }

  async close(): Promise<void> {
    await this.changes.flush()
    await this.#pool.end()
  }

  async #perform<T>(client: PoolClient, operation: Operation<T>): Promise<T> {
    const { now } = this.#options
    if (now) await client.query("SELECT set_config('orra.now', $1, false)", [String(now())])
    let step = operation.next({ rows: [], changed: 0 })
    while (!step.done) step = operation.next(await this.#carryOut(client, step.value))
    return step.value
  }

  async #carryOut(client: PoolClient, step: Step): Promise<Outcome> {
    const { rows, rowCount } =
      step.type === "statement"
        ? await client.query({
            name: this.#nameOf(step.statement),
            text: step.statement.text.postgres,
            values: [...step.statement.bind(step.parameters as never)],
          })
        : await client.query(compiledFor(step))
    return { rows, changed: rowCount ?? 0 }
  }

  /** A statement with a name is prepared once on each connection. */
  #nameOf(statement: Statement<never, unknown>): string {
    const known = this.#names.get(statement)
    if (known !== undefined) return known
    const name = `orra_${this.#names.size}`
    this.#names.set(statement, name)
    return name
  }

  /** Does it over a connection; again where nothing can have been done, as long as there is patience. */
  async #patiently<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const until = performance.now() + this.#options.patienceMs
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        return await this.#once(work)
      } catch (error) {
        if (!mayRepeat(error) || performance.now() + pause > until) throw storeError(error)
      }
      await setTimeout(pause * (0.5 + Math.random()))
    }
  }

  async #once<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect()
    let broken = false
    try {
      return await work(client)
    } catch (error) {
      broken = !(error instanceof OrraError) && !isAnswer(error)
      throw error
    } finally {
      client.release(broken)
    }
  }

  async #migrate(): Promise<void> {
    const { schema } = this.#options
    await this.#patiently(async (client) => {
      await client.query("BEGIN")
      try {
        await client.query("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK])
        await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`)
        await client.query(
          `CREATE TABLE IF NOT EXISTS ${schema}.format (one boolean PRIMARY KEY DEFAULT true CHECK (one), version integer NOT NULL)`,
        )
        const { rows } = await client.query(`SELECT version FROM ${schema}.format`)
        const format = Number(rows[0]?.version ?? 0)
        assertKnown(format, migrations)
        if (format === 0) await client.query(CLOCK)
        for (const step of migrations.slice(format)) {
          for (const change of step) {
            await this.#carryOut(client, { type: "query", query: change, rows: false })
          }
        }
        await client.query(
          `INSERT INTO ${schema}.format (version) VALUES (${migrations.length}) ON CONFLICT (one) DO UPDATE SET version = excluded.version`,
        )
      } catch (error) {
        await client.query("ROLLBACK")
        throw error
      }
      await commit(client)
    })
  }
}

/** The server's clock; a test may set another one for its connections. */
const CLOCK = `CREATE FUNCTION current_ms() RETURNS bigint LANGUAGE sql VOLATILE AS
  $$ SELECT coalesce(nullif(current_setting('orra.now', true), '')::bigint,
       (extract(epoch FROM clock_timestamp()) * 1000)::bigint) $$`

function assertKnown(format: number, steps: readonly Migration[]): void {
  if (format <= steps.length) return
  throw new StoreError(
    "store_newer",
    `The database was written by a newer version (format ${format}; this one reads up to ${steps.length}). Update this program, or use another schema or a backup from before the update.`,
    { format, supported: steps.length },
  )
}

function compiledFor(step: Step & { readonly type: "query" }): { text: string; values: unknown[] } {
  const { sql, parameters } = compiled(step.query, "postgres")
  return { text: sql, values: [...parameters] }
}

/** The commit was sent and its answer never came. */
class Unanswered extends Error {}

async function commit(client: PoolClient): Promise<void> {
  try {
    await client.query("COMMIT")
  } catch (error) {
    if (isAnswer(error)) throw error
    throw new Unanswered("The connection broke during the commit.", { cause: error })
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : ""

/** An answer of the server, which has then undone what there was to undo; else the connection is of no use any more. */
const isAnswer = (error: unknown): boolean => {
  const code = codeOf(error)
  return /^[0-9A-Z]{5}$/.test(code) && !/^(08|57P)/.test(code)
}

/** A serialisation failure, a deadlock, a server that starts, stops or is not there: nothing was written. */
function mayRepeat(error: unknown): boolean {
  if (error instanceof OrraError || error instanceof Unanswered || error instanceof CorruptRow) return false
  const code = codeOf(error)
  return !isAnswer(error) || code === "40001" || code === "40P01" || code === "53300"
}

/** What PostgreSQL said, as an error of ours. Its own text stays out of the message: it may quote what was written. */
function storeError(error: unknown): OrraError {
  if (error instanceof OrraError) return error
  const code = codeOf(error)
  const [name, message] = explained(error, code)
  return new StoreError(name, message, { ...(code && { reason: code }) }, error)
}

function explained(error: unknown, code: string): readonly [code: string, message: string] {
  if (error instanceof CorruptRow) {
    return ["store_corrupt", "The database holds a row that was not written here: restore a backup."]
  }
  if (error instanceof Unanswered) {
    return [
      "store_unknown",
      "The connection to the database broke while something was written. Whether it was is not known: read it again.",
    ]
  }
  if (/^(28|3D)/.test(code) || code === "42501") {
    return [
      "store_not_writable",
      "The database refuses this user: check user, password, database and rights in its URL.",
    ]
  }
  if (code === "53100" || code === "53200") {
    return ["store_full", "The database has no space left. Nothing was written: make room and try again."]
  }
  if (code === "25006") {
    return ["store_not_writable", "The database is read-only: connect to the server that takes writes."]
  }
  if (!isAnswer(error)) {
    return [
      "store_unavailable",
      "The database cannot be reached. Nothing was written: check that it runs, and the address in its URL.",
    ]
  }
  return ["store_failed", `The database refused (SQLSTATE ${code}).`]
}
