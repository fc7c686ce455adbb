import { join } from "node:path"
import { crashMatrix, type Durable } from "@orra/testing/crash"
import { expect, test } from "vitest"
import { testFolder } from "./fixture.ts"
import { type SqliteStore, sqliteStore } from "./sqlite-store.ts"

const FULL = process.env["ORRA_TEST_FULL"] !== undefined

const folder = testFolder()

let files = 0
const onDisk = async (): Promise<Durable> => {
  const path = join(folder, `${files++}.db`)
  let store: SqliteStore | undefined
  return {
    async open() {
      await store?.close()
      store = await sqliteStore({ path })
      return store
    },
    async done() {
      expect(await store?.integrity()).toEqual([])
      await store?.close()
    },
  }
}

test("killed at every asynchronous call of a run, another process opens the file and finishes the work", {
  timeout: 600_000,
}, async () => {
  const rows = await crashMatrix(onDisk, FULL ? {} : { only: (number) => number % 8 === 1 })
  expect(rows.filter(({ problem }) => problem !== undefined)).toEqual([])
  expect(rows.length).toBeGreaterThan(25)
})
