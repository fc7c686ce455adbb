import * as oauth from "oauth4webapi"
import { AuthError } from "./errors.ts"
import { asAuthError, oauthCode } from "./failure.ts"
import { isSafe, type OAuthServer, Server, type ServerOptions } from "./server.ts"

/** Who asks. */
export interface Credentials {
  readonly clientId: string
  readonly clientSecret?: string
  readonly clientAuthentication?: "basic" | "body"
}

type Got = oauth.TokenEndpointResponse
type Parameters = Readonly<Record<string, string>>

/** Everything one client asks of one server. Every method throws AuthError. */
export class Exchange {
  readonly #server: Server
  readonly #client: oauth.Client
  readonly #authentication: oauth.ClientAuth

  constructor(server: OAuthServer, options: ServerOptions, credentials: Credentials) {
    const { clientId, clientSecret, clientAuthentication } = credentials
    this.#server = new Server(server, options)
    this.#client = { client_id: clientId }
    const secretBy = clientAuthentication === "body" ? oauth.ClientSecretPost : oauth.ClientSecretBasic
    this.#authentication = clientSecret === undefined ? oauth.None() : secretBy(clientSecret)
  }

  /** How long an answer can take, in ms. */
  get timeoutMs(): number {
    return this.#server.timeoutMs
  }

  /** Reads where the server's endpoints are, unless that is known. */
  async prepare(): Promise<void> {
    await this.#server.metadata()
  }

  /** Where a person signs in. */
  async signInPage(query: Parameters): Promise<string> {
    const { authorization_endpoint: page } = await this.#server.metadata()
    if (page === undefined) throw lacking("page to sign in at", "authorizationUrl")
    const url = new URL(page)
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
    return url.href
  }

  ownToken(parameters: Parameters): Promise<Got> {
    return this.#ask(async (server, options) => {
      const asked = [server, this.#client, this.#authentication, { ...parameters }, options] as const
      const response = await oauth.clientCredentialsGrantRequest(...asked)
      return await oauth.processClientCredentialsResponse(server, this.#client, response)
    })
  }

  refresh(refreshToken: string): Promise<Got> {
    return this.#ask(async (server, options) => {
      const asked = [server, this.#client, this.#authentication, refreshToken, options] as const
      const response = await oauth.refreshTokenGrantRequest(...asked)
      return await oauth.processRefreshTokenResponse(server, this.#client, response)
    })
  }

  /** @throws AuthError `auth_answer_refused` when the fault is the answer's and not the server's. */
  async code(query: URLSearchParams, state: string, redirectUri: string, verifier: string): Promise<Got> {
    const answer = await this.#answer(query, state)
    return await this.#ask(async (server, options) => {
      try {
        const asked = [
          server,
          this.#client,
          this.#authentication,
          answer,
          redirectUri,
          verifier,
          options,
        ] as const
        const response = await oauth.authorizationCodeGrantRequest(...asked)
        return await oauth.processAuthorizationCodeResponse(server, this.#client, response)
      } catch (error) {
        throw oauthCode(error) === "invalid_grant" ? answerRefused() : error
      }
    })
  }

  startDevice(parameters: Parameters): Promise<oauth.DeviceAuthorizationResponse> {
    return this.#ask(async (server, options) => {
      if (server.device_authorization_endpoint === undefined)
        throw lacking("sign-in for devices", "deviceUrl")
      const asked = [server, this.#client, this.#authentication, { ...parameters }, options] as const
      const response = await oauth.deviceAuthorizationRequest(...asked)
      const got = await oauth.processDeviceAuthorizationResponse(server, this.#client, response)
      for (const page of [got.verification_uri, got.verification_uri_complete ?? got.verification_uri]) {
        if (isSafe(page)) continue
        throw new AuthError("auth_host_refused", "The server names a page without TLS to enter the code at.")
      }
      return got
    })
  }

  /** The token, or that the person has not confirmed yet. */
  device(deviceCode: string): Promise<Got | "pending" | "slow_down"> {
    return this.#ask(async (server, options) => {
      try {
        const asked = [server, this.#client, this.#authentication, deviceCode, options] as const
        const response = await oauth.deviceCodeGrantRequest(...asked)
        return await oauth.processDeviceCodeResponse(server, this.#client, response)
      } catch (error) {
        const code = oauthCode(error)
        if (code === "authorization_pending") return "pending"
        if (code === "slow_down") return "slow_down"
        throw error
      }
    })
  }

  /** Does nothing at a server that cannot. */
  revoke(token: string): Promise<void> {
    return this.#ask(async (server, options) => {
      if (server.revocation_endpoint === undefined) return
      const asked = [server, this.#client, this.#authentication, token, options] as const
      await oauth.processRevocationResponse(await oauth.revocationRequest(...asked))
    })
  }

  async #answer(query: URLSearchParams, state: string): Promise<URLSearchParams> {
    const server = await this.#server.metadata()
    try {
      const answer = oauth.validateAuthResponse(server, this.#client, query, state)
      if (answer.getAll("code").length === 1) return answer
    } catch (error) {
      // The server says no, and why; anything else is an answer that it would not have given.
      if (error instanceof oauth.AuthorizationResponseError) throw asAuthError(error)
    }
    throw answerRefused()
  }

  async #ask<T>(
    work: (server: oauth.AuthorizationServer, options: ReturnType<Server["options"]>) => Promise<T>,
  ): Promise<T> {
    const server = await this.#server.metadata()
    try {
      return await work(server, this.#server.options())
    } catch (error) {
      throw asAuthError(error)
    }
  }
}

const answerRefused = (): AuthError =>
  new AuthError("auth_answer_refused", "The answer to this sign-in is not valid: start again.")

const lacking = (what: string, option: string): AuthError =>
  new AuthError("auth_protocol", `This server says nothing of a ${what}: give its \`${option}\`.`)
