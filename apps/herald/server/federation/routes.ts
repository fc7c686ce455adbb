import { InvalidInput } from "@orra/core"
import type { Route } from "@orra/gateway"
import { ownerRoute } from "../settings/routes.ts"
import type { Found } from "./discovery.ts"
import type { PeerState, Peers } from "./peers-client.ts"

/** How it is with other Heralds. */
interface FederationState {
  readonly peers: Peers
  /** What this Herald is called among them; undefined: federation is off. */
  readonly instance: string | undefined
  /** Where it listens for them. */
  readonly url: string | undefined
  /** Why it does not. */
  readonly error: string | undefined
  /** Those of the local network that are not configured. */
  readonly found: readonly Found[]
}

/** What the owner sees of other Heralds; documented in docs/herald/api.md. */
export function federationRoutes(state: () => FederationState): readonly Route[] {
  const shown = () => {
    const { peers, instance = null, url = null, error = null, found } = state()
    const known = new Set(peers.states.map(({ name }) => name))
    return {
      enabled: instance !== null,
      instance,
      url,
      error,
      peers: peers.states.map(wirePeer),
      found: found.filter(({ name }) => !known.has(name)),
    }
  }
  return [
    ownerRoute("GET", "/api/peers", async () => shown()),
    ownerRoute("POST", "/api/peers/look", async () => {
      await state().peers.look()
      return shown()
    }),
    ownerRoute("GET", "/api/peers/:peer/sessions", ({ params }) =>
      state().peers.sessions(params["peer"] ?? ""),
    ),
    ownerRoute("GET", "/api/peers/:peer/sessions/:namespace", ({ params }) =>
      state().peers.sessions(params["peer"] ?? "", `/${encodeURIComponent(params["namespace"] ?? "")}`),
    ),
    ownerRoute("POST", "/api/peers/:peer/sessions/:namespace/chat", async ({ params, body }) => {
      const { message } = await body()
      if (typeof message !== "string" || message.trim() === "")
        throw new InvalidInput('"message" must be text.')
      return await state().peers.chat(params["peer"] ?? "", params["namespace"] ?? "", message)
    }),
  ]
}

const wirePeer = ({ url, error, version, checkedAt, ...peer }: PeerState) => ({
  ...peer,
  url: url ?? null,
  error: error ?? null,
  version: version ?? null,
  checked_at: checkedAt ?? null,
})
