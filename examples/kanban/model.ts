import { env } from "node:process"
import { claude } from "@orra/claude"
import type { Provider } from "@orra/core"
import { openai } from "@orra/openai"

/** The model service that there is a key for. @throws Error when there is none. */
export function providerFromEnv(): Provider {
  const model = env["KANBAN_MODEL"]
  if (env["ANTHROPIC_API_KEY"]) {
    return claude({ model, apiKey: env["ANTHROPIC_API_KEY"], baseURL: env["ANTHROPIC_BASE_URL"] })
  }
  if (env["OPENAI_API_KEY"]) {
    return openai({ model, apiKey: env["OPENAI_API_KEY"], baseURL: env["OPENAI_BASE_URL"] })
  }
  throw new Error("Set ANTHROPIC_API_KEY or OPENAI_API_KEY: the board needs a model to talk to.")
}
