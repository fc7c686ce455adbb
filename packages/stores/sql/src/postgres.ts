import { setTimeout } from "node:timers/promises"
import { type Namespace, OrraError } from "@orra/core"
import type { Client, Pool, PoolClient, PoolConfig } from "pg"
import type { Operation, Outcome, SqlStep } from "./operation.ts"
import { Batch, type Request } from "./postgres-batch.ts"
import { Changes } from "./postgres-changes.ts"
import { isAnswer, mayRepeat, storeError, Unanswered } from "./postgres-errors.ts"
import { migrate } from "./postgres-schema.ts"
import { eraseFromSnapshots } from "./postgres-snapshot.ts"
import { Queue } from "./queue.ts"
import { compiled, type SqlValue } from "./statement.ts"

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

/** A statement that is a transaction by itself. */
export interface AtOnce {
  readonly text: string
  readonly values: readonly SqlValue[]
  readonly harmlessTwice: boolean
}

const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 500

/**
 * The one place where SQL meets PostgreSQL: carries operations out over a few connections, and turns its errors into
 * StoreErrors. What could not have been done is tried again while the server restarts.
 */
export class Postgres {
  readonly #pool: Pool
  readonly #options: PostgresOptions
  readonly #names = new Map<string, string>()
  /** The pool's own would take those who wait for a connection for those who cannot have one. */
  readonly #queue: Queue
  readonly changes: Changes

  private constructor(pool: Pool, options: PostgresOptions, connect: () => Promise<Client>) {
    this.#pool = pool
    this.#options = options
    this.#queue = new Queue(options.maxConnections)
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
    const config: PoolConfig = {
      connectionString: options.url,
      connectionTimeoutMillis: options.patienceMs,
      // Another word than the schema's name can be in nobody's search path.
      options: `-c search_path=${options.schema}`,
      application_name: "orra",
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
      await postgres.#patiently((client) => migrate(client, options.schema))
      return postgres
    } catch (error) {
      await pool.end()
      throw error
    }
  }

  /** Each step is a transaction by itself, which sees what was committed when it began. */
  read<T>(operation: () => Operation<T>): Promise<T> {
    return this.#patiently((client) => this.#perform(client, operation(), []))
  }

  /**
   * One transaction, durable when the promise resolves. May run the operation again; one that is harmless the second time
   * also when the answer to its commit was lost.
   */
  write<T>(operation: () => Operation<T>, { harmlessTwice = false } = {}): Promise<T> {
    return this.#patiently(async (client) => {
      let value: T
      try {
        value = await this.#perform(client, operation(), [BEGIN])
      } catch (error) {
        await client.query("ROLLBACK")
        throw error
      }
      await (harmlessTwice ? carriedOut : answered)(client, [COMMIT])
      return value
    })
  }

  /**
   * One statement, which sees and writes the rows at or below the namespace, as a transaction by itself. `repeated` when
   * a connection broke without an answer: then it may have been carried out before.
   */
  async writeAtOnce(
    namespace: Namespace,
    { text, values, harmlessTwice }: AtOnce,
  ): Promise<Outcome & { readonly repeated: boolean }> {
    const requests = [...this.#clock(), whoseRows(namespace.key), { name: this.#nameOf(text), text, values }]
    const carryOut = harmlessTwice ? carriedOut : answered
    let times = 0
    const outcomes = await this.#patiently((client) => {
      times++
      return carryOut(client, requests)
    })
    return { ...last(outcomes), repeated: times > 1 }
  }

  /** What takes no transaction around it. */
  async command(text: string): Promise<void> {
    await this.#patiently((client) => client.query(text))
  }

  /** Removes what belongs to a namespace from the snapshots that were taken of older formats. */
  async eraseFromSnapshots(prefix: Namespace): Promise<void> {
    await this.#patiently((client) => eraseFromSnapshots(client, this.#options.schema, prefix))
  }

  async close(): Promise<void> {
    await this.changes.flush()
    await this.#pool.end()
  }

  /** What is said first of all is said once; whose rows they are is forgotten where a transaction ends. */
  async #perform<T>(client: PoolClient, operation: Operation<T>, first: readonly Request[]): Promise<T> {
    const inTransaction = first.length > 0
    let before = [...first, ...this.#clock()]
    let scope: readonly Request[] = []
    let step = operation.next(NOTHING)
    while (!step.done) {
      if (step.value.type === "within") {
        scope = [whoseRows(step.value.ns)]
        step = operation.next(NOTHING)
        continue
      }
      const outcomes = await carriedOut(client, [...before, ...scope, this.#request(step.value)])
      before = []
      if (inTransaction) scope = []
      step = operation.next(last(outcomes))
    }
    return step.value
  }

  #request(step: SqlStep): Request {
    if (step.type === "query") {
      const { sql, parameters } = compiled(step.query, "postgres")
      return { text: sql, values: parameters as readonly SqlValue[] }
    }
    const { text: texts, anew } = step.statement
    const text = texts.postgres
    const values = step.statement.bind(step.parameters as never)
    return anew ? { text, values } : { name: this.#nameOf(text), text, values }
  }

  /** A test's own clock, for this connection from here on. */
  #clock(): readonly Request[] {
    const { now } = this.#options
    return now ? [{ text: "SELECT set_config('orra.now', $1, false)", values: [now()] }] : []
  }

  /** A statement with a name is prepared once on each connection. */
  #nameOf(text: string): string {
    const known = this.#names.get(text)
    if (known !== undefined) return known
    const name = `orra_${this.#names.size}`
    this.#names.set(text, name)
    return name
  }

  /**
   * Does it over a connection; again where nothing can have been done, as long as there is patience. That begins when there
   * is a connection: to wait for others who use them is not to wait for the server.
   */
  async #patiently<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const { patienceMs } = this.#options
    let until: number | undefined
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        return await this.#queue.run(() => {
          until ??= performance.now() + patienceMs
          return this.#once(work)
        })
      } catch (error) {
        if (!mayRepeat(error)) throw storeError(error)
        if (performance.now() + pause > (until ?? 0)) {
          // Nor would those be served who have waited for as long.
          this.#queue.sendAway(error, patienceMs)
          throw storeError(error)
        }
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
}

const NOTHING: Outcome = { rows: [], changed: 0 }
const BEGIN: Request = { name: "begin", text: "BEGIN", values: [] }
const COMMIT: Request = { name: "commit", text: "COMMIT", values: [] }

/** Until the transaction ends, only rows at or below this key are there. */
const whoseRows = (ns: string): Request => ({
  name: "whose",
  text: "SELECT set_config('orra.tenant', $1, true)",
  values: [ns],
})

const last = (outcomes: readonly Outcome[]): Outcome => outcomes.at(-1) ?? NOTHING

function carriedOut(client: PoolClient, requests: readonly Request[]): Promise<readonly Outcome[]> {
  return client.query(new Batch(requests)).outcomes
}

/** The same where something is committed: without an answer nobody knows whether it was. */
async function answered(client: PoolClient, requests: readonly Request[]): Promise<readonly Outcome[]> {
  const batch = client.query(new Batch(requests))
  try {
    return await batch.outcomes
  } catch (error) {
    if (isAnswer(error) || !batch.sent) throw error
    throw new Unanswered("The connection broke during the commit.", { cause: error })
  }
}
