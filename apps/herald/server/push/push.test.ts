import {
  createDecipheriv,
  createECDH,
  createPublicKey,
  type ECDH,
  hkdfSync,
  randomBytes,
  verify,
} from "node:crypto"
import { once } from "node:events"
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { buffer } from "node:stream/consumers"
import { call, type WireRequest } from "@orra/testing"
import { expect, onTestFinished, test, vi } from "vitest"
import { heraldSite } from "../fixture.ts"

const WAIT = { timeout: 60_000 } as const

interface Got {
  readonly path: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Buffer
}

/** A push service, and what it was given. It answers with `statuses` in turn, then takes everything. */
async function pushService() {
  const got: Got[] = []
  const statuses: number[] = []
  const server = createServer(async (request, response) => {
    got.push({ path: request.url ?? "", headers: request.headers, body: await buffer(request) })
    response.writeHead(statuses.shift() ?? 201).end()
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, got, statuses }
}

/** A browser's keys. */
function browser() {
  const ecdh = createECDH("prime256v1")
  ecdh.generateKeys()
  const auth = randomBytes(16)
  return { ecdh, auth, keys: { p256dh: ecdh.getPublicKey("base64url"), auth: auth.toString("base64url") } }
}

/** What a browser makes of a push: RFC 8188 and 8291, by the letter. */
function opened({ body }: Got, { ecdh, auth }: { readonly ecdh: ECDH; readonly auth: Buffer }) {
  const [salt, sender, data] = [body.subarray(0, 16), body.subarray(21, 86), body.subarray(86)]
  expect(body[20]).toBe(65)
  const info = Buffer.concat([Buffer.from("WebPush: info\0"), ecdh.getPublicKey(), sender])
  const secret = hkdfSync("sha256", ecdh.computeSecret(sender), auth, info, 32)
  const part = (name: string, bytes: number) =>
    Buffer.from(hkdfSync("sha256", Buffer.from(secret), salt, `Content-Encoding: ${name}\0`, bytes))
  const cipher = createDecipheriv("aes-128-gcm", part("aes128gcm", 16), part("nonce", 12))
  cipher.setAuthTag(data.subarray(-16))
  const text = Buffer.concat([cipher.update(data.subarray(0, -16)), cipher.final()]).toString()
  return JSON.parse(text.slice(0, text.lastIndexOf("\u0002"))) as Record<string, unknown>
}

/** What the service is told of who sends, when it was signed by this key. */
function signed({ headers }: Got, key: string) {
  const [, token = "", shown] = /^vapid t=(.+), k=(.+)$/.exec(String(headers["authorization"])) ?? []
  expect(shown).toBe(key)
  const point = Buffer.from(key, "base64url")
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((each) => each.toString("base64url"))
  const jwk = { kty: "EC", crv: "P-256", x: x ?? "", y: y ?? "" }
  const [head = "", body = "", signature = ""] = token.split(".")
  const publicKey = { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" as const }
  expect(
    verify("sha256", Buffer.from(`${head}.${body}`), publicKey, Buffer.from(signature, "base64url")),
  ).toBe(true)
  return JSON.parse(Buffer.from(body, "base64url").toString()) as Record<string, unknown>
}

/** A model that writes a file or asks, when it is told to. */
function answer({ body }: WireRequest) {
  const last = JSON.stringify((body["messages"] as readonly unknown[]).at(-1))
  if (last.includes("tool_result")) return "So be it."
  // Some models number their calls anew in each run.
  if (last.includes("ask me")) return [call("ask_user", { question: "What is the secret word?" }, "call_0")]
  const names = last.includes("write both") ? ["secret-name.txt", "other.txt"] : ["secret-name.txt"]
  return last.includes("write") ? names.map((path) => call("write_file", { path, content: "x" })) : "Hello."
}

type Person = "owner" | "ada"
const KEYS = { owner: "owner-key-0123456789", ada: "adas-key-0123456789" }

/** A Herald with a push service, in which people have browsers. */
async function house(config = "") {
  const service = await pushService()
  const clock = { now: Date.now() }
  const site = await heraldSite({
    config: `[tools]\nfilesystem = true\n${config}`,
    answer,
    pushService: service.origin,
    now: () => clock.now,
  })
  onTestFinished(() => site.close())
  /** Somebody logged in, as their browser asks. */
  const logIn = async (who: Person, key = KEYS[who]) => {
    const begun = await fetch(`${site.herald.url}/api/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ key }),
    })
    const [cookie = ""] = (begun.headers.get("set-cookie") ?? "").split(";")
    return async (method: string, path: string, body?: unknown) => {
      const answered = await fetch(`${site.herald.url}${path}`, {
        method,
        headers: { cookie, origin: site.herald.url, "content-type": "application/json" },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      return { status: answered.status, json: (await answered.json()) as Record<string, unknown> }
    }
  }
  const subscribe = async (ask: Awaited<ReturnType<typeof logIn>>, path: string) => {
    const { ecdh, auth, keys } = browser()
    const endpoint = `${service.origin}${path}`
    const { status, json } = await ask("PUT", "/api/push/subscription", { endpoint, keys })
    expect([status, json]).toEqual([200, { id: expect.any(String) }])
    return { ecdh, auth, id: String(json["id"]) }
  }
  const say = (chat: string, message: string, who: Person = "owner") =>
    site.ask("POST", `/api/sessions/${chat}/messages`, { message }, who)
  const waiting = async () =>
    ((await site.ask("GET", "/api/approvals"))[1] as { approvals: Record<string, unknown>[] }).approvals
  const came = (count: number) => vi.waitFor(() => expect(service.got).toHaveLength(count), WAIT)
  return { ...service, site, clock, logIn, subscribe, say, waiting, came }
}

test("what waits for somebody reaches their browser, encrypted for it alone, and says nothing of what it is about", async () => {
  const { site, logIn, subscribe, say, came, got, origin } = await house()
  const ask = await logIn("owner")
  const { json } = await ask("GET", "/api/push")
  const phone = await subscribe(ask, "/phone")
  const other = await subscribe(await logIn("ada"), "/ada")
  await say("web:one", "write it")
  await came(1)
  const [first] = got
  if (!first) throw new Error("nothing came")
  expect(first.path).toBe("/phone")
  expect(first.headers).toMatchObject({ "content-encoding": "aes128gcm", urgency: "high" })
  expect(Number(first.headers["ttl"])).toBeGreaterThan(80_000)
  expect(opened(first, phone)).toEqual({
    title: "A call waits for you",
    body: "Atlas wants to use write_file.",
    url: "/approvals",
    tag: "waits web:one",
    waiting: 1,
  })
  expect(() => opened(first, other)).toThrow()
  expect(signed(first, String(json["key"]))).toMatchObject({ aud: origin, sub: "mailto:herald@example.com" })
  await say("web:two", "ask me")
  await came(2)
  expect(opened(got[1] ?? first, phone)).toMatchObject({
    title: "A question waits for you",
    url: "/c/web:two",
    waiting: 1,
  })
  const file = join(site.folder, "data", "push.key")
  if (process.platform !== "win32") expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(site.logged.join("")).not.toContain(JSON.parse(readFileSync(file, "utf8")).privateKey)
})

test("what waits is told once, also when the run stands still again for the rest of it", async () => {
  const { site, logIn, subscribe, say, waiting, came, got } = await house()
  const phone = await subscribe(await logIn("owner"), "/phone")
  await say("web:one", "write both")
  await came(1)
  expect(got[0] && opened(got[0], phone)).toMatchObject({
    title: "2 calls wait for you",
    body: "Atlas wants to use write_file and more.",
    waiting: 2,
  })
  const stands = async () =>
    ((await site.ask("GET", "/api/sessions/web:one"))[1] as { info: { waiting?: { approvals: number } } })
      .info.waiting?.approvals
  const [first] = await waiting()
  await site.ask("POST", `/api/sessions/web:one/approvals/${first?.["approvalId"]}`, { decision: "approve" })
  await expect.poll(() => existsSync(join(site.folder, "data", "work", "web", "secret-name.txt"))).toBe(true)
  await expect.poll(stands).toBe(1)
  await say("web:two", "ask me")
  await came(2)
  expect(got[1] && opened(got[1], phone)).toMatchObject({ url: "/c/web:two" })
})

test("what came of a job reaches those whose it is", async () => {
  const { site, logIn, subscribe, came, got } = await house()
  const phone = await subscribe(await logIn("ada"), "/ada")
  await subscribe(await logIn("owner"), "/owner")
  const job = { name: "weather", when: "every weekday at 8", payload: { type: "agent_turn", prompt: "Hi" } }
  const [, made] = await site.ask("POST", "/api/schedules", job, "ada")
  const { id } = made as { id: string }
  await site.ask("POST", `/api/schedules/${id}/run`, {}, "ada")
  await came(1)
  const [first] = got
  expect(first?.path).toBe("/ada")
  expect(first && opened(first, phone)).toEqual({
    title: "weather",
    body: "Done: read what came of it.",
    url: `/c/ada:job-${id}`,
    tag: expect.stringMatching(/^job /),
  })
})

test("a subscription ends with its login, with the key it was made with, and with who it was", async () => {
  const { site, logIn, subscribe, say, came, got } = await house(
    '[[gateway.keys]]\nname = "Bob"\nkey = "bobs-key-0123456789"\nnamespace = "bob"\napprove = true\n',
  )
  const ask = await logIn("owner")
  const lost = await subscribe(ask, "/lost")
  await subscribe(await logIn("owner"), "/kept")
  const bobs = await subscribe(await logIn("owner", "bobs-key-0123456789"), "/bob")
  await ask("POST", "/api/logout", {})
  await say("web:one", "ask me")
  await came(1)
  expect((await site.ask("POST", `/api/push/subscriptions/${lost.id}/test`))[0]).toBe(404)

  const file = join(site.folder, "assistant.toml")
  const before = readFileSync(file, "utf8")
  writeFileSync(file, before.replace("bobs-key-", "another-key-"))
  await site.restart()
  const bobTries = async (key: string) => {
    const headers = { authorization: `Bearer ${key}-0123456789` }
    return (
      await fetch(`${site.herald.url}/api/push/subscriptions/${bobs.id}/test`, { method: "POST", headers })
    ).status
  }
  expect(await bobTries("another-key")).toBe(404)
  // It was forgotten, and is not there again with the old key.
  writeFileSync(file, before)
  await site.restart()
  expect(await bobTries("bobs-key")).toBe(404)
  await say("web:two", "ask me")
  await came(2)
  expect(got.map(({ path }) => path)).toEqual(["/kept", "/kept"])
})

test("a browser is one person's at a time, and of what nobody may allow nobody is told", async () => {
  const { logIn, subscribe, say, came, got } = await house()
  await subscribe(await logIn("owner"), "/shared")
  const ada = await subscribe(await logIn("ada"), "/shared")
  await say("web:one", "ask me")
  await say("ada:one", "write it", "ada")
  await say("ada:two", "ask me", "ada")
  await came(1)
  expect(got[0] && opened(got[0], ada)).toMatchObject({ url: "/c/ada:two" })
})

test("what is gone is forgotten; what cannot be taken now is sent later", async () => {
  const { logIn, subscribe, say, came, got, statuses, clock, site } = await house()
  const ask = await logIn("owner")
  const { id } = await subscribe(ask, "/phone")
  statuses.push(503)
  await say("web:one", "ask me")
  await came(1)
  expect((await ask("POST", `/api/push/subscriptions/${id}/test`)).json).toEqual({ sent: true })
  clock.now += 31_000
  await say("web:two", "ask me")
  await came(4)
  expect(got.map(({ path }) => path)).toEqual(["/phone", "/phone", "/phone", "/phone"])
  statuses.push(503)
  const later = await ask("POST", `/api/push/subscriptions/${id}/test`)
  expect([later.status, later.json["error"]]).toEqual([422, expect.stringContaining("(503). Try again in")])
  statuses.push(410)
  const failed = await ask("POST", `/api/push/subscriptions/${id}/test`)
  expect([failed.status, failed.json["code"]]).toEqual([422, "push_failed"])
  expect(failed.json["error"]).toContain("(410). Switch them off and on")
  expect((await ask("POST", `/api/push/subscriptions/${id}/test`)).status).toBe(404)
  expect((await ask("DELETE", `/api/push/subscriptions/${id}`)).status).toBe(404)
  expect(site.logged.join("")).not.toContain("/phone")
})

test("only a browser that is logged in subscribes, and only to an https address of the public internet", async () => {
  const { site, logIn, got } = await house()
  const ask = await logIn("owner")
  const { keys } = browser()
  const body = { endpoint: "https://push.example.com/1", keys }
  expect((await site.ask("PUT", "/api/push/subscription", body))[0]).toBe(403)
  for (const wrong of [
    {},
    { ...body, endpoint: "http://push.example.com/1" },
    { ...body, endpoint: "https://push.example.com:8443/1" },
    { ...body, endpoint: `https://push.example.com/${"1".repeat(1_000)}` },
    { ...body, keys: { ...keys, p256dh: Buffer.alloc(65, 4).toString("base64url") } },
    { ...body, keys: { ...keys, auth: "short" } },
  ])
    expect((await ask("PUT", "/api/push/subscription", wrong)).status).toBe(400)
  for (const host of ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "[::1]"]) {
    const put = await ask("PUT", "/api/push/subscription", { keys, endpoint: `https://${host}/1` })
    const tried = await ask("POST", `/api/push/subscriptions/${put.json["id"]}/test`)
    expect([tried.status, tried.json["error"]]).toEqual([422, expect.stringContaining("public internet")])
    expect((await ask("POST", `/api/push/subscriptions/${put.json["id"]}/test`)).status).toBe(404)
  }
  expect(got).toEqual([])
})

test("switched off, nobody is contacted", async () => {
  const { site, logIn } = await house("[push]\nenabled = false\n")
  const ask = await logIn("owner")
  expect((await ask("GET", "/api/push")).json).toEqual({ enabled: false })
  const body = { endpoint: "https://push.example.com/1", keys: browser().keys }
  expect((await ask("PUT", "/api/push/subscription", body)).status).toBe(409)
  expect(() => statSync(join(site.folder, "data", "push.key"))).toThrow("ENOENT")
})
