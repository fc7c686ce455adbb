import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import pg from "pg"
import { onTestFinished } from "vitest"
import { testFolder, testSchemas, testServer } from "./fixture.ts"
import { type PostgresStore, postgresStore, type SqliteStore, sqliteStore } from "./index.ts"

type Row = Readonly<Record<string, unknown>>

/** A store with an audit, and a way around it. */
export interface Subject {
  readonly store: SqliteStore | PostgresStore
  /** The same store, opened once more. */
  again(options?: { readonly audit?: boolean }): Promise<SqliteStore | PostgresStore>
  /** SQL that the store knows nothing of, with rights to everything. */
  sql(text: string): Promise<readonly Row[]>
}

/** For the tests of a file: each is empty. */
export function auditSubjects(): Readonly<Record<string, () => Promise<Subject>>> {
  const folder = testFolder()
  const server = testServer()
  const newSchema = testSchemas(server)
  let count = 0
  return {
    async SQLite() {
      const path = join(folder, `${++count}.db`)
      const again = opening((audit) => sqliteStore({ path, audit }))
      return {
        store: await again(),
        again,
        async sql(text) {
          const database = new DatabaseSync(path)
          try {
            if (/^SELECT/.test(text)) return database.prepare(text).all()
            database.exec(text)
            return []
          } finally {
            database.close()
          }
        },
      }
    },
    async PostgreSQL() {
      const schema = await newSchema()
      const again = opening((audit) => postgresStore({ url: server().url, schema, maxConnections: 3, audit }))
      return {
        store: await again(),
        again,
        async sql(text) {
          const client = new pg.Client({
            connectionString: server().url.replace("//orra@", "//postgres@"),
            options: `-c search_path=${schema}`,
          })
          await client.connect()
          try {
            const { rows } = await client.query(text)
            return rows
          } finally {
            await client.end()
          }
        },
      }
    },
  }
}

const opening =
  (open: (audit: boolean) => Promise<Subject["store"]>): Subject["again"] =>
  async ({ audit = true } = {}) => {
    const store = await open(audit)
    onTestFinished(() => store.close())
    return store
  }
