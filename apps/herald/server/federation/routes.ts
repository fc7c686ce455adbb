import { InvalidInput } from "@orra/core"
import type { Route } from "@orra/gateway"
import { ownerRoute } from "../settings/routes.ts"
import type { Discovery } from "./discovery.ts"
import type { PeerState, Peers } from "./peers-client.ts"

/** What the owner sees of other Heralds; documented in docs/herald/api.md. */
export function federationRoutes({
  peers,
  instance,
  url,
  discovery,
}: {
  readonly peers: Peers
  /** What this Herald is called among them; undefined: federation is off. */
  readonly instance: string | undefined
  /** Where it listens for them. */
  readonly url: string | undefined
  readonly discovery: Discovery | undefined
}): readonly Route[] {
  const shown = () => ({
    enabled: instance !== undefined,
    instance: instance ?? null,
    url: url ?? null,
    peers: peers.states.map(wirePeer),
    found: discovery?.found() ?? [],
  })
  return [
    ownerRoute("GET", "/api/peers", async () => shown()),
    ownerRoute("POST", "/api/peers/look", async () => {
      await peers.look()
      return shown()
    }),
    ownerRoute("GET", "/api/peers/:peer/sessions", ({ params }) => peers.sessions(params["peer"] ?? "")),
    ownerRoute("GET", "/api/peers/:peer/sessions/:namespace", ({ params }) =>
      peers.sessions(params["peer"] ?? "", `/${encodeURIComponent(params["namespace"] ?? "")}`),
    ),
    ownerRoute("POST", "/api/peers/:peer/sessions/:namespace/chat", async ({ params, body }) => {
      const { message } = await body()
      if (typeof message !== "string" || message.trim() === "")
        throw new InvalidInput('"message" must be text.')
      return await peers.chat(params["peer"] ?? "", params["namespace"] ?? "", message)
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
