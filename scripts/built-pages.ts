// Promises: the web pages of the apps are built, each when its sources are newer than what was built. Before all browser tests,
// once; and before whatever else opens them.

import { execFile } from "node:child_process"
import { existsSync, readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { promisify } from "node:util"
import { root } from "./workspace.ts"

export default async function buildPages(): Promise<void> {
  for (const app of ["herald", "plan-engine"]) await buildPage(join(root, "apps", app))
}

async function buildPage(app: string): Promise<void> {
  const web = join(app, "web")
  const built = join(app, "dist", "web", "index.html")
  if (existsSync(built) && statSync(built).mtimeMs > newest(web)) return
  const vite = join(app, "node_modules", "vite", "bin", "vite.js")
  // In a process of its own: a test's NODE_ENV would make a page for development, slower and half as big again.
  await promisify(execFile)(process.execPath, [vite, "build", web, "--logLevel", "error"], {
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
