import { InvalidInput, OrraError, ProviderError } from "@orra/core"
import { HttpError, type Route } from "@orra/gateway"
import { jsonRoutes } from "../api/json-route.ts"
import { ConfigError } from "../config/load.ts"
import type { DiscordHost } from "../discord.ts"
import type { ProviderService } from "../provider/service.ts"
import { inviteLink } from "./discord-link.ts"
import { type LiveConfig, messagesOf } from "./live.ts"
import { changedTable, shownValues } from "./values.ts"

const MAX_BODY = 200_000

/** A route for the owner alone, whose errors say what to do. */
export const ownerRoute = jsonRoutes(withStatus, { permission: "owner", maxBytes: MAX_BODY })

/** The routes about what is in effect and what the page changes of it; documented in docs/herald/api.md. */
export function configurationRoutes({
  live,
  service,
  discord,
}: {
  readonly live: LiveConfig
  readonly service: Pick<ProviderService, "testModel">
  readonly discord: DiscordHost
}): readonly Route[] {
  const shown = () => ({
    file: live.loaded.file ?? null,
    values: shownValues(live.loaded),
    waiting: live.waiting,
    notices: live.notices,
  })
  const discordShown = () => {
    const { state, error } = discord.state
    const { token } = live.loaded.config.discord
    return {
      state,
      code: error?.code ?? null,
      message: error?.message ?? null,
      invite: token === undefined ? null : (inviteLink(token) ?? null),
    }
  }
  return [
    ownerRoute("GET", "/api/settings/values", async () => shown()),
    ownerRoute("PUT", "/api/settings/values", async (request) => {
      const changes = await request.body()
      const cheap = changes["provider.cheap_model"]
      const change = () => live.save((saved) => changedTable(saved, changes, live.loaded))
      // What cannot be saved is said before a model is asked anything.
      changedTable(live.saved.table, changes, live.loaded)
      if (typeof cheap === "string" && cheap !== "") await service.testModel(cheap, request.signal)
      return { ...(await change()), ...shown() }
    }),
    ownerRoute("POST", "/api/settings/reload", async () => {
      try {
        return { ...(await live.reload()), ...shown() }
      } catch (error) {
        if (error instanceof OrraError) throw new HttpError(422, error.code, error.message)
        throw error
      }
    }),
    ownerRoute("GET", "/api/settings/discord", async () => discordShown()),
    ownerRoute("POST", "/api/settings/discord/connect", async () => {
      await discord.use(live.loaded.config.discord, true)
      return discordShown()
    }),
  ]
}

/** Never 401: the caller is logged in; it is another service that refuses, or is not there. */
function withStatus(error: unknown): unknown {
  if (error instanceof ConfigError) return new InvalidInput(messagesOf(error))
  if (!(error instanceof OrraError) || error instanceof InvalidInput) return error
  if (error.code === "settings_in_file") return new HttpError(409, error.code, error.message)
  return error instanceof ProviderError || error.code.startsWith("mcp_") || error.code.startsWith("update_")
    ? new HttpError(422, error.code, error.message)
    : error
}
