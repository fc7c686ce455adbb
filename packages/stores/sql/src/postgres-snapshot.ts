import type { Namespace } from "@orra/core"
import type { PoolClient } from "pg"

/** The schema that keeps the rows as they were in a format. */
const nameOf = (schema: string, format: number): string => `${schema}_format_${format}`

/**
 * Copies every table of the schema into one beside it, before it is brought to a newer format: whoever goes back to the
 * program of that format renames the two. One that is there already is of an earlier attempt to go forward, and stays.
 */
export async function takeSnapshot(client: PoolClient, schema: string, format: number): Promise<void> {
  const copy = nameOf(schema, format)
  const { rowCount } = await client.query("SELECT FROM pg_namespace WHERE nspname = $1", [copy])
  if (rowCount) return
  await client.query(`CREATE SCHEMA "${copy}"`)
  const { rows } = await client.query<{ name: string; isWalled: boolean }>(
    `SELECT relname AS name, relforcerowsecurity AS "isWalled" FROM pg_class
      WHERE relnamespace = $1::regnamespace AND relkind = 'r'`,
    [`"${schema}"`],
  )
  for (const { name, isWalled } of rows) {
    const table = `"${schema}"."${name}"`
    // Behind its wall the owner sees no rows either.
    if (isWalled) await client.query(`ALTER TABLE ${table} NO FORCE ROW LEVEL SECURITY`)
    await client.query(`CREATE TABLE "${copy}"."${name}" (LIKE ${table} INCLUDING ALL)`)
    await client.query(`INSERT INTO "${copy}"."${name}" SELECT * FROM ${table}`)
    if (isWalled) await client.query(`ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`)
  }
}

/** Removes from the snapshots what belongs to a namespace, so that none can bring it back. */
export async function eraseFromSnapshots(
  client: PoolClient,
  schema: string,
  { key }: Namespace,
): Promise<void> {
  const { rows } = await client.query<{ copy: string; name: string }>(
    `SELECT nspname AS copy, relname AS name FROM pg_class
      JOIN pg_namespace ON pg_namespace.oid = relnamespace
      JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'ns'
      WHERE relkind = 'r' AND starts_with(nspname, $1)`,
    [nameOf(schema, 0).slice(0, -1)],
  )
  for (const { copy, name } of rows) {
    const table = `"${copy}"."${name}"`
    const { rowCount } = await client.query(`DELETE FROM ${table} WHERE ns = $1 OR starts_with(ns, $2)`, [
      key,
      `${key}:`,
    ])
    if (rowCount) await client.query(`VACUUM (ANALYZE) ${table}`)
  }
}
