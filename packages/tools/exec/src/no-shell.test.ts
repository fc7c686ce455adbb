import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url))

/** The sources of what is shipped: no tests, and nothing that others have written. */
function sources(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return ["node_modules", "dist", "e2e"].includes(entry.name) ? [] : sources(path)
    return /\.tsx?$/.test(entry.name) && !/\.(test|child)\.tsx?$/.test(entry.name) ? [path] : []
  })
}

test("nothing that is shipped gives a line of text to a shell", () => {
  const all = [...sources("packages"), ...sources("apps")]
  expect(all.length).toBeGreaterThan(200)
  const guilty = all.filter((path) => {
    const text = readFileSync(join(ROOT, path), "utf8")
    const takesExec = /import\s*\{[^}]*\b(exec|execSync)\b[^}]*\}\s*from "(node:)?child_process"/.test(text)
    const wholeModule = /import\s+(\*\s+as\s+)?\w+\s+from "(node:)?child_process"/.test(text)
    const startsPrograms = /from "((node:)?child_process|execa)"/.test(text)
    return takesExec || wholeModule || (startsPrograms && /\bshell:(?!\s*false\b)/.test(text))
  })
  expect(guilty).toEqual([])
})
