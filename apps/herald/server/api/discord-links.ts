import type { Namespace } from "@orra/core"
import type { DiscordLinks } from "@orra/discord"
import { HttpError, type Route } from "@orra/gateway"
import type { DiscordHost } from "../discord.ts"
import { jsonRoutes } from "./json-route.ts"

const route = jsonRoutes((error) => error)

/** The accounts of Discord that belong to whoever asks; documented in docs/herald/api.md. */
export function discordLinkRoutes(links: DiscordLinks, discord: DiscordHost): readonly Route[] {
  const shown = async (person: Namespace) => ({
    connected: discord.state.state === "connected",
    links: (await links.list(person)).map(({ userId, username, at }) => ({ user: userId, username, at })),
  })
  return [
    route("GET", "/api/discord/links", ({ principal }) => shown(principal.namespace)),
    route("POST", "/api/discord/links", async ({ principal }) => {
      const { code, expiresAt } = await links.code(principal.namespace)
      return { code, expires_at: expiresAt }
    }),
    route("DELETE", "/api/discord/links/:user", async ({ principal, params }) => {
      if (!(await links.remove(principal.namespace, params["user"] ?? "")))
        throw new HttpError(404, "not_found", "You have no such account linked.")
      return await shown(principal.namespace)
    }),
  ]
}
