import { existsSync, readdirSync, statSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { build } from "vite"

const WEB = fileURLToPath(new URL("../../web", import.meta.url))
const BUILT = fileURLToPath(new URL("../../dist/web/index.html", import.meta.url))

/** Builds the page when its sources are newer than what was built: a test must not look at yesterday's page. */
export async function buildPage(): Promise<void> {
  if (existsSync(BUILT) && statSync(BUILT).mtimeMs > newest(WEB)) return
  await build({ root: WEB, configFile: `${WEB}/vite.config.ts`, logLevel: "error" })
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
