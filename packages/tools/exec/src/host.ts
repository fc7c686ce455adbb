import type { ProcessTree } from "./processes.ts"

/** Commands that run, so that none of them survives the end of this process. */
export interface Running {
  add(tree: ProcessTree): void
  delete(tree: ProcessTree): void
}

/** One listener while there are any, and none otherwise. */
export function endingWithHost(): Running {
  const trees = new Set<ProcessTree>()
  const endAll = (): void => {
    for (const tree of trees) tree.signal("SIGKILL")
  }
  return {
    add(tree) {
      if (trees.size === 0) process.on("exit", endAll)
      trees.add(tree)
    },
    delete(tree) {
      trees.delete(tree)
      if (trees.size === 0) process.off("exit", endAll)
    },
  }
}
