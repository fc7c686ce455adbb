import { Namespace, type SessionInfo, type SessionStore, userMessage } from "@orra/core"
import pg from "pg"
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest"
import { testServer } from "./fixture.ts"
import { postgresStore } from "./index.ts"
import { type Operation, within } from "./operation.ts"
import { Postgres } from "./postgres.ts"
import * as sessions from "./session-tables.ts"

const a = Namespace.of("tenant", "a")
const b = Namespace.of("tenant", "b")
/** Whatever a table needs besides the namespace, with values that fit. */
const TABLES: Readonly<Record<string, string>> = {
  sessions:
    "(ns, version, created_at, updated_at, messages, deleted, folded_title, metadata) VALUES ($1, 1, 1, 1, 0, 0, '', '{}')",
  entries: "(ns, seq, type, body) VALUES ($1, 7, 'meta', '{}')",
  leases: "(ns, token, owner, expires_at) VALUES ($1, 1, 'x', 1)",
  records: "(ns, collection, key, value, updated_at) VALUES ($1, 'c', 'new', '1', 1)",
  audit: "(ns, link, body, hash) VALUES ($1, 9, '{}', '')",
  audit_heads: "(ns, links, hash) VALUES ($1, 1, '')",
}

const server = testServer()
let store: SessionStore
let client: pg.Client
beforeAll(async () => {
  store = await postgresStore({ url: server().url, maxConnections: 3 })
  client = new pg.Client({ connectionString: server().url, options: "-c search_path=orra" })
  await client.connect()
  for (const tenant of [a, b]) {
    const session = tenant.child("chat")
    const lease = await store.acquire(session, "owner", 60_000)
    if (!lease) throw new Error("The lease is taken.")
    const entry = { type: "user", at: 1, message: userMessage("secret") } as const
    await store.append(session, [entry], { expected: 0, lease })
    await store.records("c").put(session, "k", "secret")
    // Not what the store writes, but as good as any row.
    await as(session, (run) => run(`INSERT INTO audit ${TABLES["audit"]?.replace("9", "1")}`, [session.key]))
    await as(session, (run) => run(`INSERT INTO audit_heads ${TABLES["audit_heads"]}`, [session.key]))
  }
})
afterAll(async () => {
  await client.end()
  await store.close()
})

type Run = (text: string, values?: readonly string[]) => Promise<pg.QueryResult>

/** Raw SQL as the store's own user, with the store's own setting. */
async function as<T>(namespace: Namespace | undefined, work: (run: Run) => Promise<T>): Promise<T> {
  await client.query("BEGIN")
  try {
    if (namespace) await client.query("SELECT set_config('orra.tenant', $1, true)", [namespace.key])
    const result = await work((text, values = []) => client.query(text, [...values]))
    await client.query("COMMIT")
    return result
  } catch (error) {
    await client.query("ROLLBACK")
    throw error
  }
}

const keys = (result: pg.QueryResult): readonly unknown[] => [
  ...new Set(result.rows.map((row: { readonly ns: string }) => row.ns)),
]

test("every table of the schema, found from the catalog, is bound by a policy, for its owner too", async () => {
  const { rows } = await client.query(
    `SELECT relname AS name, relrowsecurity AND relforcerowsecurity AS secured,
        array(SELECT polname::text FROM pg_policy WHERE polrelid = pg_class.oid AND polcmd = '*') AS policies
      FROM pg_class WHERE relnamespace = 'orra'::regnamespace AND relkind IN ('r', 'p', 'm', 'f') ORDER BY relname`,
  )
  // The number of the schema's format is nobody's.
  const tables = rows.filter(({ name }) => name !== "format")
  expect(tables).toEqual(
    Object.keys(TABLES)
      .sort()
      .map((name) => ({ name, secured: true, policies: ["tenant"] })),
  )
  const { rows: views } = await client.query(
    "SELECT relname FROM pg_class WHERE relnamespace = 'orra'::regnamespace AND relkind = 'v'",
  )
  expect(views).toEqual([])
})

test("the user of the store owns the tables and is bound all the same", async () => {
  const { rows } = await client.query(
    "SELECT rolsuper, rolbypassrls, (SELECT bool_and(tableowner = current_user) FROM pg_tables WHERE schemaname = 'orra') AS owner FROM pg_roles WHERE rolname = current_user",
  )
  expect(rows).toEqual([{ rolsuper: false, rolbypassrls: false, owner: true }])
})

test.each(Object.keys(TABLES))(
  "%s: without a tenant nothing is there, nothing can be put there",
  async (table) => {
    expect(keys(await as(undefined, (run) => run(`SELECT ns FROM ${table}`)))).toEqual([])
    await expect(
      as(undefined, (run) => run(`INSERT INTO ${table} ${TABLES[table]}`, [a.child("x").key])),
    ).rejects.toThrow(/row-level security/)
    expect((await as(undefined, (run) => run(`DELETE FROM ${table}`))).rowCount).toBe(0)
  },
)

test.each(Object.keys(TABLES))(
  "%s: of another tenant nothing is read, changed, removed or added",
  async (table) => {
    const theirs = b.child("chat").key
    expect(keys(await as(a, (run) => run(`SELECT ns FROM ${table}`)))).toEqual([a.child("chat").key])
    expect(keys(await as(a, (run) => run(`SELECT ns FROM ${table} WHERE ns = $1`, [theirs])))).toEqual([])
    for (const statement of [
      `UPDATE ${table} SET ns = ns WHERE ns = $1`,
      `DELETE FROM ${table} WHERE ns = $1`,
    ]) {
      expect((await as(a, (run) => run(statement, [theirs]))).rowCount, statement).toBe(0)
    }
    for (const statement of [
      `INSERT INTO ${table} ${TABLES[table]}`,
      // Moving a row to somebody else is writing theirs.
      `UPDATE ${table} SET ns = $1`,
    ]) {
      const moved = as(a, (run) => run(statement, [`${theirs}:new`]))
      await expect(moved, statement).rejects.toThrow(/row-level security/)
    }
    const rows = await as(b, (run) => run(`SELECT ns FROM ${table}`))
    expect(keys(rows)).toEqual([theirs])
  },
)

test("a tenant's own prefix holds what is below, not what only begins alike", async () => {
  const alike = Namespace.of("tenant", "ab")
  await store.append(alike, [{ type: "meta", at: 1, patch: {} }], { expected: 0 })
  expect(keys(await as(a, (run) => run("SELECT ns FROM sessions")))).toEqual([a.child("chat").key])
  expect(keys(await as(alike, (run) => run("SELECT ns FROM sessions")))).toEqual([alike.key])
  const below = await as(Namespace.of("tenant"), (run) => run("SELECT ns FROM sessions ORDER BY ns"))
  expect(keys(below)).toEqual([a.child("chat").key, alike.key, b.child("chat").key])
})

test("of the store's own connection: what does not say whose rows it works on sees none, whatever was before", async () => {
  const { url } = server()
  const options = {
    url,
    schema: "orra",
    maxConnections: 1,
    patienceMs: 60_000,
    now: undefined,
    onError: () => {},
  }
  const postgres = await Postgres.open(options)
  onTestFinished(() => postgres.close())
  const session = a.child("chat")
  const asked = (): Operation<SessionInfo | undefined> => sessions.info(session)
  for (const carryOut of [
    (work: () => Operation<SessionInfo | undefined>) => postgres.read(work),
    (work: () => Operation<SessionInfo | undefined>) => postgres.write(work),
  ]) {
    expect((await carryOut(() => within(a, asked())))?.version).toBe(1)
    expect(await carryOut(asked)).toBeUndefined()
    expect(await carryOut(() => within(b, asked()))).toBeUndefined()
  }
  const text = "UPDATE sessions SET messages = 1 WHERE ns = $1"
  const values = [session.key]
  expect((await postgres.writeAtOnce(b, { text, values, harmlessTwice: false })).changed).toBe(0)
  expect((await postgres.writeAtOnce(a, { text, values, harmlessTwice: false })).changed).toBe(1)
  expect(await postgres.read(asked)).toBeUndefined()
})

test("a transaction that works on the rows of several says each time whose", async () => {
  const records = store.records("c")
  const write = (tenant: Namespace, value: number) => ({
    namespace: tenant.child("chat"),
    key: "several",
    value,
  })
  await records.write([write(a, 1), write(b, 2), { ...write(a, 3), namespace: a }])
  expect((await records.get(b.child("chat"), "several"))?.value).toBe(2)
  expect((await records.list(a, { below: true })).items.filter(({ key }) => key === "several")).toHaveLength(
    2,
  )
})
