import { rmSync } from "node:fs"
import type { ProcessTree } from "./processes.ts"

/** Commands that run, so that nothing of them survives the end of this process. */
export interface Running {
  /** @param scratch The directory that is made for it, if there is one. */
  add(job: object, tree: ProcessTree, scratch: string | undefined): void
  /** Nothing is left of it. */
  delete(job: object): void
}

/** One listener while there are any, and none otherwise. */
export function endingWithHost(): Running {
  const jobs = new Map<object, { readonly tree: ProcessTree; readonly scratch: string | undefined }>()
  const endAll = (): void => {
    for (const { tree, scratch } of jobs.values()) {
      tree.signal("SIGKILL")
      if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true })
    }
  }
  return {
    add(job, tree, scratch) {
      if (jobs.size === 0) process.on("exit", endAll)
      jobs.set(job, { tree, scratch })
    },
    delete(job) {
      jobs.delete(job)
      if (jobs.size === 0) process.off("exit", endAll)
    },
  }
}
