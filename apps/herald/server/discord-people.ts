import { Namespace, type SessionStore } from "@orra/core"
import { DiscordLinks, type LinkablePerson } from "@orra/discord"
import { discordRoot, OWNER, OWNER_NAME } from "./config/load.ts"
import type { Config } from "./config/settings.ts"
import { PEERS } from "./federation/peers.ts"

/** Who can link an account of Discord, and what each may decide: what they may in the page. */
function linkable(config: Config): readonly LinkablePerson[] {
  return [
    { namespace: OWNER, name: OWNER_NAME, decidesIn: [OWNER, discordRoot(config), PEERS] },
    ...config.gateway.keys.map(({ name, namespace: key, approve }) => {
      const namespace = Namespace.parse(key)
      return { namespace, name, decidesIn: approve ? [namespace] : [] }
    }),
  ]
}

/** The accounts of Discord that belong to people of this Herald, as the configuration has them now. */
export const discordPeople = (
  store: Pick<SessionStore, "records" | "now">,
  config: () => Config,
): DiscordLinks => new DiscordLinks({ store, people: () => linkable(config()) })
