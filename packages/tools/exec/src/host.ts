import { rmSync } from "node:fs"
import type { ProcessTree } from "./processes.ts"

/** Commands that run, so that nothing of them survives the end of this process. */
export interface Running {
  /** @param scratch The directory that is made for it, if there is one. */
  add(tree: ProcessTree, scratch: string | undefined): void
  delete(tree: ProcessTree): void
}

/** One listener while there are any, and none otherwise. */
export function endingWithHost(): Running {
  const trees = new Map<ProcessTree, string | undefined>()
  const endAll = (): void => {
    for (const [tree, scratch] of trees) {
      tree.signal("SIGKILL")
      if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true })
    }
  }
  return {
    add(tree, scratch) {
      if (trees.size === 0) process.on("exit", endAll)
      trees.set(tree, scratch)
    },
    delete(tree) {
      trees.delete(tree)
      if (trees.size === 0) process.off("exit", endAll)
    },
  }
}
