// `pnpm --filter @orra/testing crash-matrix` prints what becomes of a run that is killed, point by point.

import process from "node:process"
import { MemoryStore } from "@orra/core"
import { crashMatrix } from "./matrix.ts"
import { matrixTable } from "./table.ts"

const rows = await crashMatrix(async () => {
  const store = new MemoryStore()
  return { open: async () => store, done: () => store.close() }
})
const problems = rows.filter(({ problem }) => problem !== undefined)
console.log(matrixTable(rows))
console.log(`\n${rows.length} points, ${problems.length} problems`)
if (problems.length > 0) process.exitCode = 1
