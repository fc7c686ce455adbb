import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { isolationConformance } from "@orra/testing/conformance"
import { afterAll } from "vitest"
import { fileStore } from "./index.ts"

const folder = mkdtempSync(join(tmpdir(), "orra-isolation-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let made = 0
isolationConformance("FileStore", ({ now }) =>
  fileStore({ path: join(folder, `${++made}`), now, sync: "never" }),
)
