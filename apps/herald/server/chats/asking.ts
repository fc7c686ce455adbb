import type { Hooks, Runtime } from "@orra/core"
import { openQuestions } from "../tools/ask-user.ts"

/**
 * Says of each session that waits whether it waits for what its person says: `asks` in its metadata is true then, and means
 * nothing while it does not wait. Lists of chats show it.
 */
export const askingHook = (runtime: () => Runtime): Hooks => ({
  name: "asking",
  async runWait({ namespace, runId, metadata }) {
    const isAsking = (await openQuestions(runtime(), namespace, runId)).length > 0
    if (isAsking !== (metadata["asks"] === true))
      await runtime().update(namespace, { asks: isAsking ? true : null })
  },
})
