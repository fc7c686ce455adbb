// Packs the packages as users get them: built, with their dependencies' versions in place of the workspace's.

import { execFileSync } from "node:child_process"
import { join } from "node:path"

const root = join(import.meta.dirname, "..")
const PACKED = ["packages/core", "packages/providers/http", "packages/providers/openai"]

/** Builds all packages and puts an archive of each that the adapter needs into `folder`. */
export function packInto(folder: string): void {
  execFileSync(process.execPath, ["scripts/build.ts"], { cwd: root, stdio: "inherit" })
  for (const name of PACKED) {
    execFileSync("pnpm", ["pack", "--pack-destination", folder], {
      cwd: join(root, name),
      stdio: ["ignore", "ignore", "inherit"],
      shell: process.platform === "win32",
    })
  }
}
