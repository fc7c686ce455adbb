import { join } from "node:path"
import { isolationConformance } from "@orra/testing/conformance"
import { testFolder } from "./fixture.ts"
import { sqliteStore } from "./sqlite-store.ts"

const folder = testFolder()

let files = 0
isolationConformance("sqliteStore", ({ now }) => sqliteStore({ path: join(folder, `${++files}.db`), now }))
