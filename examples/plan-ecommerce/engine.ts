import { env } from "node:process"
import { claude } from "@orra/claude"
import type { Provider } from "@orra/core"
import { openai } from "@orra/openai"
import { createPlanEngine } from "@orra/plan-engine"
import type { EngineAccess } from "@orra/plan-sdk"
import { sqliteStore } from "@orra/store-sql"

/** An engine that can be asked, and is there until it is closed. */
export interface Access extends EngineAccess {
  close(): Promise<void>
}

/** The engine that ORRA_URL and ORRA_API_KEY name, or else one in this process, with a project of its own. */
export async function engineFromEnv(folder: string, provider: Provider): Promise<Access> {
  const { ORRA_URL: url, ORRA_API_KEY: apiKey } = env
  if (url && apiKey) return { url, apiKey, close: async () => {} }
  const store = await sqliteStore({ path: `${folder}/plans.db` })
  const engine = createPlanEngine({ store, provider, onError: console.error })
  const own = await engine.listen({ port: 0 })
  const project = await fetch(`${own}/register/project`, { method: "POST", body: '{"name":"shop"}' })
  const registered = (await project.json()) as { apiKey: string }
  return {
    url: own,
    apiKey: registered.apiKey,
    close: async () => {
      await engine.close()
      await store.close()
    },
  }
}

/** The model that plans, and that the delivery agent thinks with. @throws Error when there is a key for none. */
export function providerFromEnv(): Provider {
  const model = env["PLAN_MODEL"]
  if (env["ANTHROPIC_API_KEY"])
    return claude({ model, apiKey: env["ANTHROPIC_API_KEY"], baseURL: env["ANTHROPIC_BASE_URL"] })
  if (env["OPENAI_API_KEY"])
    return openai({ model, apiKey: env["OPENAI_API_KEY"], baseURL: env["OPENAI_BASE_URL"] })
  throw new Error("Set ANTHROPIC_API_KEY or OPENAI_API_KEY: the shop needs a model to plan with.")
}
