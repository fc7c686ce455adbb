import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { crashMatrix, type Durable } from "@orra/testing/crash"
import { afterAll, expect, test } from "vitest"
import { type FileStore, fileStore } from "./file-store.ts"

const FULL = process.env["ORRA_TEST_FULL"] !== undefined

const folder = mkdtempSync(join(tmpdir(), "orra-matrix-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let folders = 0
const onDisk = async (): Promise<Durable> => {
  const path = join(folder, `${folders++}`)
  let store: FileStore | undefined
  return {
    async open() {
      await store?.close()
      store = await fileStore({ path, sync: "never" })
      return store
    },
    done: async () => await store?.close(),
  }
}

test("killed at every asynchronous call of a run, another process opens the folder and finishes the work", {
  timeout: 600_000,
}, async () => {
  const rows = await crashMatrix(onDisk, FULL ? {} : { only: (number) => number % 8 === 2 })
  expect(rows.filter(({ problem }) => problem !== undefined)).toEqual([])
  expect(rows.length).toBeGreaterThan(25)
})
