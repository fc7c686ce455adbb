import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { Namespace } from "@orra/core"
import { sqliteStore } from "@orra/store-sql"
import { startChild } from "@orra/testing/process"
import { expect, test } from "vitest"
import { OAuthClient } from "./client.ts"
import { TokenStore } from "./token-store.ts"

/** Besides this process. */
const [PROCESSES, LOGINS] = process.env["ORRA_TEST_FULL"] ? [12, 100] : [1, 6]

test("of many processes one renews a login; a server that takes a refresh token once has nothing to complain of", async () => {
  /** What each refresh token was exchanged for: a second time is reuse, which ends the login. */
  const used = new Map<string, number>()
  const server = createServer(async (request, response) => {
    const old = new URLSearchParams(await text(request)).get("refresh_token") ?? ""
    const count = (used.get(old) ?? 0) + 1
    used.set(old, count)
    response.writeHead(count === 1 ? 200 : 400, { "content-type": "application/json" })
    const given = {
      access_token: `access of ${old}`,
      token_type: "bearer",
      expires_in: 3_600,
      refresh_token: `${old}+`,
    }
    response.end(JSON.stringify(count === 1 ? given : { error: "invalid_grant" }))
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const dir = mkdtempSync(join(tmpdir(), "orra-auth-"))
  const path = join(dir, "orra.db")
  const store = await sqliteStore({ path })
  const tokens = new TokenStore(store, { keys: [new Uint8Array(32).fill(7)] })
  const client = new OAuthClient(tokens, {
    name: "notes",
    server: { issuer: origin, tokenUrl: `${origin}/token` },
    clientId: "orra",
    clientSecret: "secret",
  })
  const names = Array.from({ length: LOGINS }, (_, index) => `user-${index}`)
  for (const name of names) await client.adopt(Namespace.of("household", name), name)
  const answers: string[] = []
  let heardOf = Promise.withResolvers<void>()
  let expected = PROCESSES
  const children = Array.from({ length: PROCESSES }, () =>
    startChild<string | string[]>(new URL("./renewer.child.ts", import.meta.url), [path, origin], (said) => {
      answers.push(...(typeof said === "string" ? [] : said))
      if (--expected === 0) heardOf.resolve()
    }),
  )
  for (const { ended } of children) void ended.then(({ complaint }) => heardOf.reject(new Error(complaint)))
  try {
    await heardOf.promise
    for (const name of names) {
      heardOf = Promise.withResolvers()
      expected = PROCESSES
      for (const child of children) child.tell(name)
      const own = client.token(Namespace.of("household", name))
      await heardOf.promise
      answers.push((await own).value)
      expect(new Set(answers.splice(0))).toEqual(new Set([`access of ${name}`]))
    }
    expect([...used.values()]).toEqual(names.map(() => 1))
  } finally {
    heardOf.promise.catch(() => {})
    for (const child of children) child.kill("SIGKILL")
    await Promise.all(children.map(({ ended }) => ended))
    server.closeAllConnections()
    server.close()
    await store.close()
    rmSync(dir, { recursive: true })
  }
}, 120_000)
