import { StoreError } from "@orra/core"
import type { PoolClient } from "pg"
import { takeSnapshot } from "./postgres-snapshot.ts"
import { changesIn, type Migration, migrations } from "./schema.ts"
import { compiled } from "./statement.ts"

/** Any number: whoever migrates the same schema waits for whoever began. */
const MIGRATION_LOCK = 0x4f72_7261

/** Brings the schema to the present format, in one transaction, after a snapshot of an older one. @throws StoreError when it is of a newer one. */
export async function migrate(client: PoolClient, schema: string): Promise<void> {
  await client.query("BEGIN")
  try {
    await client.query("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK])
    await client.query(`CREATE SCHEMA IF NOT EXISTS "${schema}"`)
    await client.query(
      `CREATE TABLE IF NOT EXISTS "${schema}".format (one boolean PRIMARY KEY DEFAULT true CHECK (one), version integer NOT NULL)`,
    )
    const { rows } = await client.query(`SELECT version FROM "${schema}".format`)
    const format = Number(rows[0]?.version ?? 0)
    assertKnown(format, migrations)
    if (format === 0) await client.query(CLOCK)
    else if (format < migrations.length) await takeSnapshot(client, schema, format)
    for (const [index, step] of migrations.entries()) {
      if (index < format) continue
      for (const change of changesIn(step, "postgres")) {
        const { sql, parameters } = compiled(change, "postgres")
        await client.query(sql, [...parameters])
      }
      for (const change of besides[index + 1] ?? []) await client.query(change)
    }
    await secure(client, schema)
    await client.query(
      `INSERT INTO "${schema}".format (version) VALUES (${migrations.length}) ON CONFLICT (one) DO UPDATE SET version = excluded.version`,
    )
    await client.query("COMMIT")
  } catch (error) {
    await client.query("ROLLBACK")
    throw error
  }
}

/**
 * Only rows at or below the key that the transaction has set are there, whatever a statement asks for, also for the owner
 * of the tables. Where none is set there are none. A table that has no namespace cannot be made.
 */
async function secure(client: PoolClient, schema: string): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = '"${schema}"'::regnamespace AND relkind = 'r'
      AND relname <> 'format' AND NOT relforcerowsecurity`,
  )
  for (const { name } of rows) {
    await client.query(`ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`)
    await client.query(`CREATE POLICY tenant ON ${name} USING (${VISIBLE})`)
  }
}

/**
 * The setting is read once for a statement, in a query of its own. No index serves this: how rows are found is left to
 * what a statement asks for, whose selectivity the planner knows, while it knows nothing of a setting.
 */
const VISIBLE =
  "coalesce(starts_with(ns || ':', (SELECT current_setting('orra.tenant', true) || ':')), false)"

const sequence = (name: string): readonly string[] => [
  `CREATE SEQUENCE ${name}`,
  `SELECT setval('${name}', value + 1, false) FROM counters WHERE name = '${name}'`,
]

/**
 * What only PostgreSQL needs, after the step to this format. Published steps never change. From format 5 on a step sees no
 * rows: one that changes some lifts the policies first.
 */
const besides: Readonly<Record<number, readonly string[]>> = {
  5: [...sequence("lease_token"), ...sequence("record_version"), "DROP TABLE counters"],
}

/** The server's clock; a test may set another one for its connections. */
export const CLOCK = `CREATE FUNCTION current_ms() RETURNS bigint LANGUAGE sql VOLATILE AS
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
