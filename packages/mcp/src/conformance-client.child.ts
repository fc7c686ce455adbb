// The client under test of the protocol's conformance suite: our servers, and what each scenario wants done with them.

import {
  ClientCredentialsProvider,
  type OAuthClientProvider,
  PrivateKeyJwtProvider,
  type StoredOAuthTokens,
} from "@modelcontextprotocol/client"
import { type JsonObject, Namespace, parseJson } from "@orra/core"
import { mcpServers } from "./client.ts"

const url = process.argv.at(-1) ?? ""
const scenario = process.env["MCP_CONFORMANCE_SCENARIO"] ?? ""
const context = (parseJson(process.env["MCP_CONFORMANCE_CONTEXT"] ?? "{}") ?? {}) as JsonObject

/** A person who agrees to everything, and the browser they do it in. */
function signIn() {
  const redirectUrl = "http://localhost:3000/callback"
  const clients = new Map<string, NonNullable<ReturnType<OAuthClientProvider["clientInformation"]>>>()
  let tokens: StoredOAuthTokens | undefined
  let verifier = ""
  let callback = new URLSearchParams()
  const { client_id, client_secret, private_key_pem } = context
  if (scenario === "auth/client-credentials-basic")
    return {
      auth: new ClientCredentialsProvider({
        clientId: String(client_id),
        clientSecret: String(client_secret),
      }),
    }
  if (scenario === "auth/client-credentials-jwt")
    return {
      auth: new PrivateKeyJwtProvider({
        clientId: String(client_id),
        privateKey: String(private_key_pem),
        algorithm: "ES256",
      }),
    }
  const auth: OAuthClientProvider = {
    redirectUrl,
    clientMetadataUrl: "https://conformance-test.local/client-metadata.json",
    clientMetadata: { client_name: "orra", redirect_uris: [redirectUrl] },
    clientInformation: ({ issuer } = { issuer: "" }) =>
      typeof client_id === "string" && scenario === "auth/pre-registration"
        ? { client_id, issuer, ...(typeof client_secret === "string" && { client_secret }) }
        : clients.get(issuer),
    saveClientInformation: (client, { issuer } = { issuer: "" }) => void clients.set(issuer, client),
    tokens: () => tokens,
    saveTokens: (saved) => {
      tokens = saved
    },
    saveCodeVerifier: (saved) => {
      verifier = saved
    },
    codeVerifier: () => verifier,
    invalidateCredentials: (what) => {
      if (what === "all" || what === "tokens") tokens = undefined
      if (what === "all" || what === "client") clients.clear()
    },
    async redirectToAuthorization(address) {
      const response = await fetch(address, { redirect: "manual" })
      callback = new URL(response.headers.get("location") ?? "").searchParams
    },
  }
  return { auth, callback: async () => callback }
}

const servers = await mcpServers(
  { tested: { url, trusted: true, ...(scenario.startsWith("auth/") && signIn()) } },
  {
    ask: async () => ({
      action: "accept",
      content: scenario.startsWith("sep-2322") ? { confirmed: true } : {},
    }),
    onProblem: (error) => console.error(error.message),
  },
)

const call = async (name: string, input: JsonObject): Promise<void> => {
  const tool = servers.tools.get(`tested__${name}`)
  if (!tool) return
  const { signal } = new AbortController()
  const where = { namespace: Namespace.of("test"), runId: "run", callId: "call", idempotencyKey: "key" }
  await tool
    .execute(await tool.parse(input), { ...where, metadata: {}, signal, progress() {} })
    .catch((error: unknown) => console.error(String(error)))
}

const inputs: Readonly<Record<string, JsonObject>> = {
  add_numbers: { a: 5, b: 3 },
  json_schema_echo: {
    schema: servers.tools.get("tested__json_schema_2020_12_tool")?.definition.inputSchema ?? {},
  },
}
const given = context["toolCalls"] as readonly { name: string; arguments: JsonObject }[] | undefined
for (const { name, arguments: input } of given ?? []) await call(name, input)
if (!given) {
  for (const { definition } of servers.tools.list()) {
    const name = definition.name.slice("tested__".length)
    await call(name, inputs[name] ?? {})
  }
}
await servers.close()
