import { once } from "node:events"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { Provider } from "oidc-provider"

/** An OAuth server on this machine, as it is used by others: oidc-provider. Refresh tokens are rotated. */
export interface AuthorizationServer extends AsyncDisposable {
  readonly issuer: string
  /** What was granted and refused since the start: `refresh_token`, `refresh_token invalid_grant`. */
  readonly grants: readonly string[]
  /** Revokes all that was ever given to the client. */
  readonly provider: Provider
  /** Goes where a person's browser would, signs in as Ada and agrees. @returns the query they come back with. */
  signIn(url: string): Promise<URLSearchParams>
  /** Enters and confirms a code on another machine. */
  confirm(verificationUriComplete: string): Promise<void>
}

export const REDIRECT_URI = "http://127.0.0.1:9/callback"
export const CLIENT = { clientId: "orra", clientSecret: "a secret of the client's: +/%" }

export async function authorizationServer(): Promise<AuthorizationServer> {
  const server = createServer()
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.clientId,
        client_secret: CLIENT.clientSecret,
        redirect_uris: [REDIRECT_URI],
        scope: "notes",
        grant_types: [
          "authorization_code",
          "refresh_token",
          "client_credentials",
          "urn:ietf:params:oauth:grant-type:device_code",
        ],
      },
    ],
    cookies: { keys: ["any"] },
    scopes: ["notes", "mail"],
    rotateRefreshToken: true,
    issueRefreshToken: async () => true,
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      revocation: { enabled: true },
    },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  })
  const grants: string[] = []
  provider.on("grant.success", ({ oidc }) => grants.push(String(oidc.params?.["grant_type"])))
  provider.on("grant.error", ({ oidc }, error) =>
    grants.push(`${oidc.params?.["grant_type"]} ${error.message}`),
  )
  const callback = provider.callback()
  server.on("request", (request, response) => {
    if (request.url?.startsWith("/interaction/")) void agree(provider, request, response)
    else void callback(request, response)
  })
  return {
    issuer,
    grants,
    provider,
    signIn: async (url) => await browse(url),
    confirm: async (url) => await confirm(url),
    [Symbol.asyncDispose]: () => closed(server),
  }
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections()
  server.close()
  await once(server, "close")
}

/** Answers whatever the server wants to know of the person. */
async function agree(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { prompt, params, session } = await provider.interactionDetails(request, response)
  if (prompt.name === "login") {
    await provider.interactionFinished(request, response, { login: { accountId: "ada" } })
    return
  }
  const grant = new provider.Grant({
    accountId: session?.accountId ?? "",
    clientId: String(params["client_id"]),
  })
  grant.addOIDCScope(String(params["scope"]))
  await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } })
}

/** A browser's cookies. */
class Cookies {
  readonly #kept = new Map<string, string>()

  async fetch(url: URL, init: RequestInit = {}): Promise<Response> {
    const cookie = [...this.#kept].map(([name, value]) => `${name}=${value}`).join("; ")
    const response = await fetch(url, { redirect: "manual", ...init, headers: { ...init.headers, cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === "") this.#kept.delete(name)
      else this.#kept.set(name, value)
    }
    return response
  }

  /** Follows redirects until one leaves the server, or a page is shown. */
  async follow(response: Response, from: URL): Promise<{ readonly url: URL; readonly page: string }> {
    let at = from
    let last = response
    for (
      let location = last.headers.get("location");
      location !== null;
      location = last.headers.get("location")
    ) {
      const next = new URL(location, at)
      if (next.origin !== from.origin) return { url: next, page: "" }
      at = next
      last = await this.fetch(next)
    }
    return { url: at, page: await last.text() }
  }
}

async function browse(address: string): Promise<URLSearchParams> {
  const cookies = new Cookies()
  const { url, page } = await cookies.follow(await cookies.fetch(new URL(address)), new URL(address))
  if (page !== "") throw new Error(page)
  return url.searchParams
}

async function confirm(address: string): Promise<void> {
  const cookies = new Cookies()
  const start = new URL(address)
  let shown = await cookies.follow(await cookies.fetch(start), start)
  // The first form sends the code, the second agrees.
  for (let step = 0; step < 2; step++) {
    const [, xsrf = ""] = /name="xsrf" value="([^"]*)"/.exec(shown.page) ?? []
    const action = new URL(/action="([^"]+)"/.exec(shown.page)?.[1] ?? "", start)
    const body = new URLSearchParams({ xsrf, user_code: start.searchParams.get("user_code") ?? "" })
    if (step === 1) body.set("confirm", "yes")
    shown = await cookies.follow(await cookies.fetch(action, { method: "POST", body }), action)
  }
}
