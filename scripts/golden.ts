// Promises: writes the sessions that the present format makes into packages/core/golden/<version>, once, when a version is
// released. What is there stays as it is: later versions have to read it. With them goes a database of each store.
// Usage: node --conditions=@orra/source scripts/golden.ts <version>

import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { sqliteStore } from "../packages/stores/sql/src/index.ts"
import { replay } from "../packages/testing/src/golden/golden.ts"
import { writeGolden } from "../packages/testing/src/golden/scenarios.ts"
import { root } from "./workspace.ts"

const [version = ""] = process.argv.slice(2)
const folder = join(root, "packages/core/golden", version)
if (!/^\d+\.\d+\.\d+$/.test(version)) throw new Error("Say which version: node scripts/golden.ts 0.1.0")
if (existsSync(folder)) throw new Error(`${folder} exists: what a version wrote does not change.`)

const sessions = await writeGolden()
mkdirSync(folder, { recursive: true })
const path = join(folder, "sessions.db")
const store = await sqliteStore({ path })
for (const [name, golden] of Object.entries(sessions)) {
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(golden, undefined, 1)}\n`)
  await replay(store, golden)
}
await store.close()
console.log(`${Object.keys(sessions).length} sessions in ${folder}`)
