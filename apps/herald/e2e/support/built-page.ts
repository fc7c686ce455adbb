import { execFile } from "node:child_process"
import { existsSync, readdirSync, statSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const WEB = fileURLToPath(new URL("../../web", import.meta.url))
const VITE = fileURLToPath(new URL("../../node_modules/vite/bin/vite.js", import.meta.url))
const BUILT = fileURLToPath(new URL("../../dist/web/index.html", import.meta.url))

/** Before all tests, once: builds the page when its sources are newer than what was built. */
export default async function buildPage(): Promise<void> {
  if (existsSync(BUILT) && statSync(BUILT).mtimeMs > newest(WEB)) return
  // In a process of its own: a test's NODE_ENV would make a page for development, slower and half as big again.
  await promisify(execFile)(process.execPath, [VITE, "build", WEB, "--logLevel", "error"], {
    env: { ...process.env, NODE_ENV: "production" },
  })
}

function newest(folder: string): number {
  let time = 0
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && !/\.test\.tsx?$/.test(entry.name)) {
      time = Math.max(time, statSync(`${entry.parentPath}/${entry.name}`).mtimeMs)
    }
  }
  return time
}
