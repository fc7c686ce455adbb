/** What a token is made of. */
export interface AccessTokenParts {
  readonly value: string
  /** As it stands in the header, default `Bearer`. */
  readonly type?: string
  /** ms since 1970; undefined when nobody said. */
  readonly expiresAt?: number | undefined
  readonly scopes?: readonly string[]
}

/**
 * A token for a service. Printing it, logging it and making JSON of it do not show the secret; `value` and
 * `authorization` do.
 */
export class AccessToken {
  readonly #value: string
  readonly type: string
  readonly expiresAt: number | undefined
  readonly scopes: readonly string[]

  constructor({ value, type = "Bearer", expiresAt, scopes = [] }: AccessTokenParts) {
    this.#value = value
    this.type = type
    this.expiresAt = expiresAt
    this.scopes = scopes
  }

  get value(): string {
    return this.#value
  }

  /** The `authorization` header. Send it to the service that the token is for and to no other. */
  get authorization(): string {
    return `${this.type} ${this.#value}`
  }
}

export interface TokenRequest {
  /** Ends the waiting; a renewal that others wait for as well goes on. */
  readonly signal?: AbortSignal
  /** The token that a service has just answered with 401: another one is wanted, however long that one should last. */
  readonly refused?: AccessToken
}

/** Where a tool gets the token for a call. */
export interface TokenProvider {
  /** @throws AuthError */
  token(request?: TokenRequest): Promise<AccessToken>
}

/** A token that was made by hand and stays as it is, such as a personal access token. */
export function staticToken(value: string, type = "Bearer"): TokenProvider {
  const token = new AccessToken({ value, type })
  return { token: async () => token }
}
