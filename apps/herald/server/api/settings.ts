import { InvalidInput } from "@orra/core"
import type { Route } from "@orra/gateway"
import type { ProviderInput, ProviderService, ProviderState } from "../provider/service.ts"
import { ownerRoute } from "../settings/routes.ts"

export interface SettingsApiOptions {
  readonly service: ProviderService
  readonly version: string
  /** The name of the one that answers by default. */
  readonly assistant: () => string
}

/** The routes about the model service, for the owner only; documented in docs/herald/api.md. */
export function settingsRoutes({ service, version, assistant }: SettingsApiOptions): readonly Route[] {
  const answer = (state: ProviderState) => ({
    version,
    assistant: { name: assistant() },
    provider: shownState(state),
  })
  return [
    ownerRoute("GET", "/api/settings", async () => answer(service.state())),
    ownerRoute("PUT", "/api/settings/provider", async (request) =>
      answer(await service.save(providerInput(await request.body()), request.signal)),
    ),
    ownerRoute("POST", "/api/settings/provider/test", async (request) => {
      await service.test(providerInput(await request.body()), request.signal)
      return { ok: true }
    }),
    ownerRoute("POST", "/api/settings/provider/detect", async () => answer(await service.detect())),
    ownerRoute("DELETE", "/api/settings/provider", async () => answer(await service.forget())),
  ]
}

const shownState = (state: ProviderState) => ({
  configured: state.configured,
  auth_source: state.source,
  source_label: state.sourceLabel,
  provider_type: state.type,
  model: state.model,
  api_url: state.apiUrl,
  has_saved: state.hasSaved,
  decided_by: state.decidedBy,
  notices: state.notices,
})

const FIELDS = ["provider_type", "api_key", "model", "api_url"] as const
/** Longer than any key or address there is. */
const MAX_FIELD = 4_096

/** The body's fields. @throws InvalidInput for what is none, or is not text. */
export function providerInput(body: Readonly<Record<string, unknown>>): ProviderInput {
  for (const [name, value] of Object.entries(body)) {
    if (!FIELDS.some((field) => field === name)) {
      throw new InvalidInput(`"${name.slice(0, 40)}" is not a field: there are ${FIELDS.join(", ")}.`)
    }
    if (value !== null && typeof value !== "string") throw new InvalidInput(`${name} must be text.`)
    if (typeof value === "string" && value.length > MAX_FIELD) throw new InvalidInput(`${name} is too long.`)
  }
  const {
    provider_type: type,
    api_key,
    model,
    api_url,
  } = body as Partial<Record<(typeof FIELDS)[number], string | null>>
  if (type && type !== "claude" && type !== "openai") {
    throw new InvalidInput(`provider_type must be "claude" or "openai".`)
  }
  // Header values are printable ASCII; a key with anything else was pasted with something around it.
  if (api_key && !/^[\x21-\x7e]+$/.test(api_key.trim())) {
    throw new InvalidInput("The key has spaces or characters no key has: copy it again.")
  }
  return {
    type: type === "claude" || type === "openai" ? type : undefined,
    apiKey: api_key ?? undefined,
    model: model ?? undefined,
    apiUrl: api_url ?? undefined,
  }
}
