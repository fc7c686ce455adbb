import type { ModelInfo, Provider } from "@orra/core"
import type { GatewayRequest, Route } from "./route.ts"

const FRESH_MS = 5 * 60_000
const TIMEOUT_MS = 10_000

/** The models to choose from, asked of the provider at most every five minutes. */
export function modelRoutes(now: () => number): readonly Route[] {
  let known:
    | { readonly provider: string; readonly at: number; readonly models: readonly ModelInfo[] }
    | undefined
  async function models({ runtime, signal }: GatewayRequest): Promise<Response> {
    const { provider } = runtime
    const key = `${provider.id}/${provider.model}`
    if (known?.provider !== key || known.at + FRESH_MS < now()) {
      const found = await ask(provider, signal)
      if (found) known = { provider: key, at: now(), models: found }
      else
        return Response.json({
          default: provider.model,
          models: provider.model ? [{ id: provider.model }] : [],
        })
    }
    return Response.json({ default: provider.model, models: known.models })
  }
  return [{ method: "GET", path: "/api/models", permission: "model", handle: models }]
}

/** Undefined when the provider cannot say: then the default is the one there is. */
async function ask(provider: Provider, signal: AbortSignal): Promise<readonly ModelInfo[] | undefined> {
  try {
    const models = await provider.models?.({
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    })
    return models && models.length > 0 ? models : undefined
  } catch {
    return undefined
  }
}
