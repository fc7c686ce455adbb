// A process of the test with many: asks for the token of one login, together with the others.

import { Namespace } from "@orra/core"
import { sqliteStore } from "@orra/store-sql"
import { heard, say } from "@orra/testing/process"
import { OAuthClient } from "./client.ts"
import { TokenStore } from "./token-store.ts"

const [path = "", origin = ""] = process.argv.slice(2)
const store = await sqliteStore({ path })
const tokens = new TokenStore(store, { keys: [new Uint8Array(32).fill(7)] })
const server = { issuer: origin, tokenUrl: `${origin}/token` }
const client = new OAuthClient(tokens, { name: "notes", server, clientId: "orra", clientSecret: "secret" })
await say("ready")
for await (const name of heard<string>()) {
  const asked = Array.from({ length: 3 }, () => client.token(Namespace.of("household", name)))
  await say((await Promise.all(asked)).map(({ value }) => value))
}
await store.close()
