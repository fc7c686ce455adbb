import { Namespace } from "@orra/core"
import { discordRoot, HERALD, OWNER, OWNER_NAME } from "../config/load.ts"
import type { Config } from "../config/settings.ts"
import { PEERS } from "../federation/peers.ts"

/** Below whose namespace something happened, by what the owner calls them. */
export interface Person {
  readonly name: string
  readonly namespace: Namespace
}

/** Everybody below whom something happens in this Herald, and Herald itself. */
export const everybody = (config: Config): readonly Person[] => [
  { name: OWNER_NAME, namespace: OWNER },
  ...config.gateway.keys.map(({ name, namespace }) => ({ name, namespace: Namespace.parse(namespace) })),
  { name: "Discord", namespace: discordRoot(config) },
  ...(config.federation.enabled ? [{ name: "Other Heralds", namespace: PEERS }] : []),
  { name: "Herald", namespace: HERALD },
]
