import { readdirSync, readFileSync } from "node:fs"
import { join, relative } from "node:path"
import { DatabaseSync } from "node:sqlite"

/** How often a text was found, by the place: a table, or a file below the folder that was searched. */
export type Findings = Readonly<Record<string, number>>

/** Runs a query: what `query` of a `pg` client does. */
export type Query = (sql: string) => Promise<{ readonly rows: readonly unknown[] }>

/**
 * Where a text is in the files of a folder, however deep: in their bytes, as UTF-8, whatever they are; and in their
 * names.
 *
 * ```ts
 * expect(findInFolder("data/sessions", "canary-zebra")).toEqual({})
 * ```
 */
export function findInFolder(folder: string, text: string): Findings {
  const found: Record<string, number> = {}
  const note = (where: string, times: number): void => {
    if (times > 0) found[where] = times
  }
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name)
    const where = relative(folder, path)
    note(`name of ${where}`, entry.name.includes(text) ? 1 : 0)
    if (entry.isFile()) note(where, countIn(readFileSync(path), text))
  }
  return found
}

/** Where a text is in the tables of a SQLite file: in any column of any table that its catalog has. */
export function findInSqlite(path: string, text: string): Findings {
  const sqlite = new DatabaseSync(path, { readOnly: true })
  try {
    const tables = sqlite.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
    return findInRows(
      tables.map(({ name }) => [String(name), sqlite.prepare(`SELECT * FROM "${String(name)}"`).all()]),
      text,
    )
  } finally {
    sqlite.close()
  }
}

/**
 * Where a text is in the tables of a PostgreSQL database: in any column of any table or view that its catalog has,
 * in whatever schema, the statistics of columns included.
 *
 * ```ts
 * expect(await findInPostgres((sql) => client.query(sql), "canary-zebra")).toEqual({})
 * ```
 */
export async function findInPostgres(query: Query, text: string): Promise<Findings> {
  const tables: [string, readonly unknown[]][] = []
  const { rows } = await query(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname <> 'information_schema' AND (schemaname <> 'pg_catalog' OR tablename = 'pg_statistic')`,
  )
  for (const { name } of rows as readonly { readonly name: string }[]) {
    tables.push([name, (await query(`SELECT searched::text FROM ${name} AS searched`)).rows])
  }
  return findInRows(tables, text)
}

function findInRows(tables: readonly (readonly [string, readonly unknown[]])[], text: string): Findings {
  const found: Record<string, number> = {}
  for (const [name, rows] of tables) {
    const times = countIn(Buffer.from(JSON.stringify(rows)), text)
    if (times > 0) found[name] = times
  }
  return found
}

function countIn(bytes: Buffer, text: string): number {
  let times = 0
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) times++
  return times
}
