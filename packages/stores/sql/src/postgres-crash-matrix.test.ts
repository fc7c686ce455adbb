import type { SessionStore } from "@orra/core"
import { crashMatrix, type Durable } from "@orra/testing/crash"
import { expect, test } from "vitest"
import { testServer } from "./fixture.ts"
import { postgresStore } from "./index.ts"

const FULL = process.env["ORRA_TEST_FULL"] !== undefined

const server = testServer()

let schemas = 0
const inSchema = async (): Promise<Durable> => {
  const schema = `matrix_${schemas++}`
  let store: SessionStore | undefined
  return {
    async open() {
      await store?.close()
      store = await postgresStore({ url: server().url, schema, maxConnections: 2 })
      return store
    },
    done: async () => await store?.close(),
  }
}

test("killed at every asynchronous call of a run, another process connects and finishes the work", {
  timeout: 600_000,
}, async () => {
  const rows = await crashMatrix(inSchema, FULL ? {} : { only: (number) => number % 24 === 3 })
  expect(rows.filter(({ problem }) => problem !== undefined)).toEqual([])
  expect(rows.length).toBeGreaterThan(6)
})
