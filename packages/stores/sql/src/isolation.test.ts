import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { isolationConformance } from "@orra/testing/conformance"
import { afterAll } from "vitest"
import { sqliteStore } from "./sqlite-store.ts"

const folder = mkdtempSync(join(tmpdir(), "orra-isolation-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
isolationConformance("sqliteStore", ({ now }) => sqliteStore({ path: join(folder, `${++files}.db`), now }))
