import { setTimeout as pause } from "node:timers/promises"
import type { Namespace } from "@orra/core"
import pg from "pg"

/** Any two numbers that nobody else takes for an advisory lock. */
const LAUNCH_LOCK = 7_215_470_201
const TAKEOVER_LOCK = 7_215_470_202

const TABLES = `
  CREATE SCHEMA IF NOT EXISTS orra_plan;
  CREATE TABLE IF NOT EXISTS orra_plan.engines (id text PRIMARY KEY, seen_at timestamptz NOT NULL);
  CREATE TABLE IF NOT EXISTS orra_plan.cancelled (run text PRIMARY KEY);
`

const LOCK_PAUSE_MS = 200

/** What DBOS does not know of: which engines live, and what was cancelled and still has to be undone. */
export class Engines {
  readonly #pool: pg.Pool
  readonly #id: string
  readonly #leaseMs: number

  constructor(url: string, id: string, leaseMs: number, onError: (error: unknown) => void) {
    this.#pool = new pg.Pool({ connectionString: url, max: 2 })
    // A connection that breaks while nobody uses it; the next query gets another one.
    this.#pool.on("error", onError)
    this.#id = id
    this.#leaseMs = leaseMs
  }

  /** One engine at a time: the first migration of a database must not be made twice. */
  async join(launch: () => Promise<void>): Promise<void> {
    const client = await this.#pool.connect()
    try {
      // Not waited for in the database: an index that the migration makes concurrently would wait for that statement in turn.
      while (!(await locked(client))) await pause(LOCK_PAUSE_MS)
      await client.query(TABLES)
      // First: what an engine that is not in the list begins would be nobody's.
      await this.beat()
      await launch()
      // A first migration can take longer than the lease.
      await this.beat()
      await client.query("SELECT pg_advisory_unlock($1)", [LAUNCH_LOCK])
    } finally {
      client.release()
    }
  }

  /** Says that this engine lives. False when it was taken for dead meanwhile, or is new. */
  async beat(): Promise<boolean> {
    const { rows } = await this.#pool.query<{ known: boolean }>(
      `INSERT INTO orra_plan.engines (id, seen_at) VALUES ($1, clock_timestamp())
       ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at RETURNING xmax <> 0 AS known`,
      [this.#id],
    )
    return rows[0]?.known === true
  }

  /** Says that this engine is gone, and closes. */
  async leave(): Promise<void> {
    await this.#pool.query("UPDATE orra_plan.engines SET seen_at = '-infinity' WHERE id = $1", [this.#id])
    await this.#pool.end()
  }

  /** Has the runs of engines that are dead taken over. Of several that want to, one does. */
  async takeOver(resume: (engines: string[]) => Promise<void>): Promise<void> {
    const client = await this.#pool.connect()
    try {
      await client.query("BEGIN")
      const taken = await client.query<{ got: boolean }>("SELECT pg_try_advisory_xact_lock($1) AS got", [
        TAKEOVER_LOCK,
      ])
      if (taken.rows[0]?.got) {
        const { rows } = await client.query<{ id: string }>(
          `DELETE FROM orra_plan.engines
           WHERE id <> $1 AND seen_at < clock_timestamp() - make_interval(secs => $2) RETURNING id`,
          [this.#id, this.#leaseMs / 1_000],
        )
        if (rows.length > 0) await resume(rows.map(({ id }) => id))
      }
      await client.query("COMMIT")
      client.release()
    } catch (error) {
      // Then they are still dead, and it is tried again.
      client.release(true)
      throw error
    }
  }

  async cancel({ key }: Namespace): Promise<void> {
    await this.#pool.query("INSERT INTO orra_plan.cancelled (run) VALUES ($1) ON CONFLICT DO NOTHING", [key])
  }

  /** Which of these were cancelled, themselves or with a run above. */
  async cancelled<T extends { readonly namespace: Namespace }>(runs: readonly T[]): Promise<readonly T[]> {
    const keys = new Set(runs.flatMap(({ namespace }) => namespace.lineageKeys))
    const { rows } = await this.#pool.query<{ run: string }>(
      "SELECT run FROM orra_plan.cancelled WHERE run = ANY($1)",
      [[...keys]],
    )
    const found = new Set(rows.map(({ run }) => run))
    return runs.filter(({ namespace }) => namespace.lineageKeys.some((key) => found.has(key)))
  }

  /** Forgets that they were cancelled: they have ended. */
  async forget(runs: readonly string[]): Promise<void> {
    await this.#pool.query("DELETE FROM orra_plan.cancelled WHERE run = ANY($1)", [runs])
  }
}

async function locked(client: pg.PoolClient): Promise<boolean> {
  const { rows } = await client.query<{ got: boolean }>("SELECT pg_try_advisory_lock($1) AS got", [
    LAUNCH_LOCK,
  ])
  return rows[0]?.got === true
}
