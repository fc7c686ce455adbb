import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import { errorMessage } from "@orra/core"
import type { Route } from "@orra/gateway"
import type { LiveConfig } from "./live.ts"
import { ownerRoute } from "./routes.ts"

/** The route about this Herald: what it is, and where it keeps its data. */
export const aboutRoutes = ({
  live,
  version,
}: {
  readonly live: LiveConfig
  readonly version: string
}): readonly Route[] => [
  ownerRoute("GET", "/api/settings/about", async () => {
    const { dataDir, file } = live.loaded
    return {
      version,
      node: process.versions.node,
      file: file ?? null,
      data: dataDir,
      bytes: await bytesIn(dataDir),
      process: process.pid,
      started_at: Math.round(Date.now() - process.uptime() * 1_000),
    }
  }),
]

/** Of all files in a folder. What goes while it is counted counts for nothing. */
async function bytesIn(folder: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    try {
      bytes += (await stat(join(entry.parentPath, entry.name))).size
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT")
        throw new Error(errorMessage(error), { cause: error })
    }
  }
  return bytes
}
