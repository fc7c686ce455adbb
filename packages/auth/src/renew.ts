import { setTimeout as sleep } from "node:timers/promises"
import type { Namespace } from "@orra/core"
import { AccessToken } from "./access-token.ts"
import { AuthError } from "./errors.ts"
import type { Login, StoredToken, TokenStore } from "./token-store.ts"

/** How a login is renewed. */
export interface Renewal {
  readonly tokens: TokenStore
  readonly namespace: Namespace
  readonly name: string
  /** How long asking the server can take, in ms. */
  readonly timeoutMs: number
  /** The login is one that this client can use. @throws AuthError */
  readonly assertOwn: (token: StoredToken) => void
  /** What takes time and need not be done within the claim's. */
  readonly prepare: () => Promise<void>
  /** Undefined when there is nothing to get a new token with. */
  readonly source: (old: StoredToken | undefined) => (() => Promise<StoredToken>) | undefined
}

/** What a claim lasts longer than asking can take: who has it writes within that time. */
const GRACE_MS = 10_000
const FIRST_PAUSE_MS = 25
const LONGEST_PAUSE_MS = 500
/** The last one 1.6 s after the first: within the grace of the claim. */
const WRITE_ATTEMPTS = 6

/**
 * The token of the login; a new one when it is about to run out or is `refused`. Of however many processes that find it so
 * one asks the server: the one whose claim is written into the record. When it dies its claim lapses and another one asks.
 *
 * A server that rotates takes a refresh token once. So a token that was renewed is written whatever happened to the claim
 * meanwhile, unless there is another login; and a server's "no" counts only when the record is still the one it was asked for.
 */
export async function renewed(renewal: Renewal, refused?: string): Promise<AccessToken> {
  const { tokens, namespace, name, timeoutMs } = renewal
  for (let pauseMs = FIRST_PAUSE_MS; ; ) {
    const login = await tokens.login(namespace, name)
    const now = await tokens.now()
    if (login?.token) renewal.assertOwn(login.token)
    const usable = usableToken(login, now, refused)
    if (usable) return usable
    if (login?.revoked) throw revoked()
    const old = login?.token
    // Almost run out is not run out: nobody waits, or fails, who need not.
    const meanwhile =
      old && old.accessToken !== refused && (old.expiresAt ?? 0) > now ? accessToken(old) : undefined
    const lastsMs = timeoutMs + GRACE_MS
    const until = login?.claimedUntil ?? 0
    if (until > now && until <= now + lastsMs) {
      if (meanwhile) return meanwhile
      await sleep(Math.min(pauseMs, until - now))
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
      continue
    }
    const ask = renewal.source(old)
    if (!ask && meanwhile) return meanwhile
    if (!ask) throw hopeless(login, refused !== undefined)
    try {
      await renewal.prepare()
      const version = await tokens.mark(namespace, name, login, { claimedUntil: now + lastsMs })
      const got = version === undefined ? undefined : await asked(renewal, ask, login, version)
      if (got) return got
    } catch (error) {
      if (meanwhile && error instanceof AuthError && error.retryable) return meanwhile
      throw error
    }
  }
}

/** Undefined when there is now something else to look at. */
async function asked(
  { tokens, namespace, name }: Renewal,
  ask: () => Promise<StoredToken>,
  login: Login | undefined,
  version: number,
): Promise<AccessToken | undefined> {
  let token: StoredToken
  try {
    token = await ask()
  } catch (error) {
    const isRevoked =
      error instanceof AuthError && error.code === "auth_revoked" && login?.token !== undefined
    const claimed = { ...login, version }
    const said = isRevoked ? { revoked: true as const } : {}
    const isAlone = (await tokens.mark(namespace, name, claimed, said)) !== undefined
    // Somebody was quicker, or signed in anew: what was refused is the past.
    if (isRevoked && !isAlone) return undefined
    throw error
  }
  for (let expected = version, attempt = 1; ; attempt++) {
    try {
      if (await tokens.keep(namespace, name, token, expected)) return accessToken(token)
      const other = await tokens.login(namespace, name)
      // Signed out meanwhile, or signed in anew: this one is nobody's.
      if (!other || other.id !== login?.id) return undefined
      expected = other.version
    } catch (error) {
      // The old refresh token may be used up: a store that fails for a moment must not cost the login.
      if (attempt === WRITE_ATTEMPTS) throw error
      await sleep(FIRST_PAUSE_MS * 2 ** attempt)
    }
  }
}

function usableToken(
  login: Login | undefined,
  now: number,
  refused: string | undefined,
): AccessToken | undefined {
  const token = login?.token
  if (!token || login.revoked || token.accessToken === refused) return undefined
  return (token.staleAt ?? Number.POSITIVE_INFINITY) > now ? accessToken(token) : undefined
}

export const accessToken = ({ accessToken: value, type, scopes, expiresAt }: StoredToken): AccessToken =>
  new AccessToken({ value, type, scopes, expiresAt })

const revoked = (): AuthError =>
  new AuthError("auth_revoked", "The server no longer accepts this login: sign in again.")

function hopeless(login: Login | undefined, wasRefused: boolean): AuthError {
  if (!login?.token)
    return new AuthError(
      "auth_not_signed_in",
      "Nobody has signed in here: begin with `authorize` or `startDevice`.",
    )
  if (wasRefused)
    return new AuthError(
      "auth_revoked",
      "The service refuses this token and the server gave nothing to renew it with: sign in again.",
    )
  return new AuthError(
    "auth_expired",
    "The token has run out and the server gave nothing to renew it with: sign in again.",
  )
}
