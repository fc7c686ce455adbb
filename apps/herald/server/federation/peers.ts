import { createHmac } from "node:crypto"
import { hostname } from "node:os"
import { Namespace } from "@orra/core"
import type { Config } from "../config/settings.ts"

/** What other Herald's people ask here, each Herald's below its name. */
export const PEERS = Namespace.of("peers")

/** What a Herald is called: it is part of an agent's name, and of a namespace. */
export const INSTANCE_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?$/

/** Another Herald, as the configuration has it. */
export interface Peer {
  readonly name: string
  /** Where it listens for peers, without a slash at the end; undefined: it asks, and is never asked. */
  readonly url: string | undefined
  /** What this one shows to it, and what it shows to this one. Neither can be made of the other. */
  readonly shows: string
  readonly accepts: string
  /** The tools that its agents may use here. */
  readonly lends: readonly string[]
  /** What it may do with the owner's chats. */
  readonly sessions: "none" | "read" | "chat"
}

/** What this Herald is called among others. */
export const instanceName = ({ federation }: Config): string =>
  federation.instance_name ??
  (hostname()
    .split(".")[0]
    ?.replace(/[^a-zA-Z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 32) ||
    "herald")

/** None unless federation is enabled. */
export function peersOf(config: Config): readonly Peer[] {
  const { enabled, peers, shared_secret } = config.federation
  if (!enabled) return []
  const own = instanceName(config)
  return peers.map(({ name, url, shared_secret: secret = shared_secret ?? "", lends, sessions }) => ({
    name,
    url: url?.replace(/\/+$/, ""),
    shows: keyOf(secret, own, name),
    accepts: keyOf(secret, name, own),
    lends,
    sessions,
  }))
}

/** The secret itself is never sent: whoever is shown one of these can be nobody but its receiver's peer. */
const keyOf = (secret: string, from: string, to: string): string =>
  createHmac("sha256", secret).update(`herald peer\n${from}\n${to}`).digest("base64url")
