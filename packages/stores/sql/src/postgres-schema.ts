import { StoreError } from "@orra/core"
import type { PoolClient } from "pg"
import { type Migration, migrations } from "./schema.ts"
import { compiled } from "./statement.ts"

/** Any number: whoever migrates the same schema waits for whoever began. */
const MIGRATION_LOCK = 0x4f72_7261

/** Brings the schema to the present format, in one transaction. @throws StoreError when it is of a newer one. */
export async function migrate(client: PoolClient, schema: string): Promise<void> {
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
        const { sql, parameters } = compiled(change, "postgres")
        await client.query(sql, [...parameters])
      }
    }
    await client.query(
      `INSERT INTO ${schema}.format (version) VALUES (${migrations.length}) ON CONFLICT (one) DO UPDATE SET version = excluded.version`,
    )
    await client.query("COMMIT")
  } catch (error) {
    await client.query("ROLLBACK")
    throw error
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
