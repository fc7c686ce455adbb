import { readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { Namespace } from "@orra/core"
import { call, say, type WireAnswer, type WireRequest } from "@orra/testing"
import { afterEach, describe, expect, test, vi } from "vitest"
import { ConfigError, parseConfig } from "../config/load.ts"
import { type HeraldSite, heraldSite } from "../fixture.ts"
import { peersOf } from "./peers.ts"

const SECRET = "a-secret-of-both-sides-0123456789"
const open: { close(): Promise<unknown> | unknown }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

const system = ({ body }: WireRequest): string => JSON.stringify(body["system"])
const messages = ({ body }: WireRequest): string => JSON.stringify(body["messages"])

const section = (name: string, more: string, peer: string): string =>
  `[federation]\nenabled = true\nmdns_enabled = false\ninstance_name = "${name}"\nshared_secret = "${SECRET}"\n${more}\n[[federation.peers]]\n${peer}\n`

/** A Herald called `den` that answers, and one called `phone` that knows it. */
async function pair({
  den = "",
  denPeer = "",
  phone = "",
  answer = () => say("Hello from the den."),
  phoneAnswer = () => say("Hello from the phone."),
}: {
  readonly den?: string
  readonly denPeer?: string
  readonly phone?: string
  readonly answer?: (request: WireRequest) => WireAnswer
  readonly phoneAnswer?: (request: WireRequest) => WireAnswer
} = {}): Promise<{ readonly den: HeraldSite; readonly phone: HeraldSite; readonly url: string }> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const there = await heraldSite({
    config: section("den", `port = ${port}\n${den}`, `name = "phone"\n${denPeer}`),
    answer,
  })
  open.push(there)
  const here = await heraldSite({
    config: section("phone", "port = 0", `name = "den"\nurl = "${url}"\n${phone}`),
    answer: phoneAnswer,
  })
  open.push(here)
  await vi.waitFor(async () => expect(await agentsOf(here)).toContain("den:Atlas"))
  return { den: there, phone: here, url }
}

async function agentsOf(site: HeraldSite): Promise<readonly string[]> {
  const [, body] = await site.ask("GET", "/api/agents")
  return (body as { readonly agents: readonly { readonly name: string }[] }).agents.map(({ name }) => name)
}

const chat = async (site: HeraldSite, message: string, namespace = "web:chat"): Promise<unknown> => {
  const [, answer] = await site.ask("POST", "/api/chat", { message, namespace })
  return (answer as { readonly message?: string }).message ?? answer
}

/** A request as the other Herald would make it. */
const asPeer = async (url: string, path: string, key: string, body?: object) => {
  const response = await fetch(`${url}${path}`, {
    method: body ? "POST" : "GET",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: response.status, text: await response.text() }
}

/** What `phone` shows to `den`. */
const phonesKey = (): string => {
  const { config } = parseConfig(section("phone", "", 'name = "den"'), "a.toml", {})
  return peersOf(config)[0]?.shows ?? ""
}

describe("an agent of another Herald", () => {
  test("F11: answers when it is mentioned, chosen, or a chat is with it, and nobody else does", async () => {
    const { den, phone } = await pair({
      answer: (request) => say(`Den heard ${messages(request).length > 0}.`),
    })
    expect(await chat(phone, "@den:Atlas are you there?")).toBe("Den heard true.")
    const chosen = await phone.ask("PUT", "/api/sessions/web%3Achat/agent", { name: "den:atlas" })
    expect(chosen).toEqual([200, { agent: "den:Atlas" }])
    expect(await chat(phone, "And now?")).toBe("Den heard true.")
    expect(phone.model.requests.filter((request) => messages(request).includes("And now"))).toEqual([])
    // What was said before goes with it, since it has no session of its own there.
    const asked = messages(den.model.requests.at(-1) as WireRequest)
    expect(asked).toContain("are you there?")
    expect(asked).toContain("And now?")
    expect(await den.ask("GET", "/api/approvals")).toMatchObject([200, { approvals: [] }])
  })

  test("F12: can be handed a task by an agent here, and costs nothing here", async () => {
    const { phone } = await pair({
      phoneAnswer: (request) =>
        messages(request).includes("tool_result")
          ? say("Done.")
          : call("delegate_to_agent", { agent: "den:Atlas", task: "Say hello." }),
    })
    expect(await chat(phone, "Ask the den.")).toBe("Done.")
    expect(messages(phone.model.requests.at(-1) as WireRequest)).toContain("Hello from the den.")
    const [, usage] = await phone.ask("GET", "/api/usage")
    expect(JSON.stringify(usage)).toContain('"unpriced":false')
    expect(JSON.stringify(usage)).not.toContain('"unpriced":true')
  })

  test("F13: is the one that was named", async () => {
    const agents = '[[agents]]\nname = "Atlas"\n[[agents]]\nname = "Nova"\npersonality = "dry"\n'
    const { den, phone } = await pair({ den: `exposed_agents = ["Nova", "Atlas"]\n${""}`, denPeer: agents })
    await vi.waitFor(async () => expect(await agentsOf(phone)).toContain("den:Nova"))
    await chat(phone, "@den:Nova hello")
    expect(system(den.model.requests.at(-1) as WireRequest)).toContain("You are Nova")
  })

  test("works with tools that are lent to it, and what it calls is done and decided here", async () => {
    const { den, phone } = await pair({
      phone: 'lends = ["current_time"]',
      answer: (request) =>
        messages(request).includes("tool_result") ? say("It is late.") : call("current_time", {}),
    })
    expect(await chat(phone, "@den:Atlas what time is it at my place?")).toBe("It is late.")
    const [first, last] = den.model.requests
    expect(JSON.stringify(first?.body["tools"])).toContain("current_time")
    expect(JSON.stringify(first?.body["tools"])).not.toContain("web_fetch")
    expect(messages(last as WireRequest)).toContain("tool_result")
    // It was paid for where the model is.
    expect(JSON.stringify(await den.ask("GET", "/api/usage"))).toMatch(/"name":"phone".*?"spent":0\.\d+/)
  })

  test("that is away says so in the chat, and the chat goes on", async () => {
    const { den, phone } = await pair()
    open.splice(open.indexOf(den), 1)
    await den.close()
    expect(await chat(phone, "@den:Atlas hello")).toMatchObject({
      error: expect.stringContaining("cannot be reached"),
    })
    expect(await chat(phone, "@Atlas hello")).toBe("Hello from the phone.")
    await phone.ask("POST", "/api/peers/look")
    expect(await phone.ask("GET", "/api/peers")).toMatchObject([200, { peers: [{ health: "unreachable" }] }])
  })
})

describe("S14: what another Herald may do", () => {
  test("is to ask agents that are exposed, with tools that are allowed, and to see nothing", async () => {
    const { den, url } = await pair({
      den: 'tools = ["recall"]',
      answer: () => say("Nothing."),
    })
    await chat(den, "A secret of the owner's.", "web:secret")
    const key = phonesKey()
    const paths = ["/api/sessions", "/api/me", "/api/approvals", "/api/sessions/web%3Asecret", "/metrics"]
    for (const path of paths) expect((await asPeer(url, path, key)).status, path).toBeGreaterThanOrEqual(403)
    for (const path of ["", "/web%3Asecret"])
      expect(await asPeer(url, `/api/federation/sessions${path}`, key)).toMatchObject({
        status: 403,
        text: expect.stringContaining("sessions_not_shared"),
      })
    const ask = { messages: [{ role: "user", parts: [{ type: "text", text: "Hi" }] }], tools: [] }
    expect(await asPeer(url, "/api/federation/relay", key, { agent: "Nobody", ...ask })).toMatchObject({
      status: 404,
    })
    expect((await asPeer(url, "/api/federation/relay", key, { agent: "Atlas", ...ask })).text).toContain(
      "Nothing.",
    )
    const tools = JSON.stringify(den.model.requests.at(-1)?.body["tools"])
    expect(tools).not.toContain("web_fetch")
    expect(tools).not.toContain("delegate_to_agent")
    // The page's own port knows nothing of peers, nor does a key of the page open the other.
    expect((await fetch(`${den.herald.url}/api/federation`)).status).toBe(404)
    expect((await asPeer(url, "/api/federation", "owner-key-0123456789")).status).toBe(401)
  })

  test("its messages are a stranger's, and its sessions are gone when it has its answer", async () => {
    const { den, phone } = await pair()
    await chat(phone, "@den:Atlas hello")
    const { sqliteStore } = await import("@orra/store-sql")
    open.splice(open.indexOf(den), 1)
    await den.herald.close(0)
    const store = await sqliteStore({ path: den.database })
    const { items } = await store.list(Namespace.of("peers"), { deleted: true })
    expect(items).toEqual([])
    expect((await store.list(Namespace.of("peers"))).items).toEqual([])
    await store.close()
    await den.model.close()
  })

  test("sees and writes in the owner's chats where that is configured, each as far as it is", async () => {
    const { den, phone, url } = await pair({ denPeer: 'sessions = "read"' })
    await chat(den, "Milk, eggs, bread.", "web:list")
    const [status, shown] = await phone.ask("GET", "/api/peers/den/sessions")
    expect([status, shown]).toMatchObject([200, { sessions: [{ namespace: "web:list" }] }])
    expect(await phone.ask("GET", "/api/peers/den/sessions/web%3Alist")).toMatchObject([
      200,
      { messages: [{ role: "user", text: "Milk, eggs, bread." }, { role: "assistant" }] },
    ])
    expect(
      await phone.ask("POST", "/api/peers/den/sessions/web%3Alist/chat", { message: "Tea." }),
    ).toMatchObject([422, { code: "peer_refused", error: expect.stringContaining("does not share") }])
    expect((await asPeer(url, "/api/federation/sessions/herald%3Ametrics", phonesKey())).status).toBe(404)
    // Only the owner of the other side asks for it.
    expect((await phone.ask("GET", "/api/peers", undefined, "ada"))[0]).toBe(403)
  })

  test("may write in them with `chat`", async () => {
    const { den, phone } = await pair({ denPeer: 'sessions = "chat"' })
    await chat(den, "Milk.", "web:list")
    expect(
      await phone.ask("POST", "/api/peers/den/sessions/web%3Alist/chat", { message: "Tea." }),
    ).toMatchObject([200, { message: "Hello from the den." }])
    expect(messages(den.model.requests.at(-1) as WireRequest)).toContain("Tea.")
  })
})

describe("the secret", () => {
  test("S13: is sent to nobody, and what is shown to one is of no use with another", () => {
    const of = (instance: string, peer: string) =>
      peersOf(parseConfig(section(instance, "", `name = "${peer}"`), "a.toml", {}).config)[0]
    const phone = of("phone", "den")
    const den = of("den", "phone")
    expect(phone?.shows).toBe(den?.accepts)
    expect(phone?.accepts).toBe(den?.shows)
    const keys = [phone?.shows, phone?.accepts, of("phone", "stranger")?.shows, of("stranger", "den")?.shows]
    expect(new Set(keys).size).toBe(4)
    expect(keys.join()).not.toContain(SECRET)
  })

  test("that differs is a clear refusal on both sides", async () => {
    const { url } = await pair()
    const other = await heraldSite({
      config: section(
        "phone",
        "port = 0",
        `name = "den"\nurl = "${url}"\nshared_secret = "another-secret-0123456789-xyz"`,
      ),
    })
    open.push(other)
    await vi.waitFor(async () =>
      expect(await other.ask("GET", "/api/peers")).toMatchObject([
        200,
        { peers: [{ health: "refused", error: expect.stringContaining("the same on both sides") }] },
      ]),
    )
  })
})

describe("the configuration", () => {
  const problemsOf = (toml: string): string => {
    try {
      parseConfig(toml, "a.toml", {})
    } catch (error) {
      if (error instanceof ConfigError) return error.message
      throw error
    }
    return ""
  }

  test("F21: a peer without a secret, or with a short one, is refused before anything starts", () => {
    const peer = '[federation]\nenabled = true\n[[federation.peers]]\nname = "den"\n'
    expect(problemsOf(peer)).toContain("federation.peers[0].shared_secret is needed")
    expect(problemsOf(`${peer}shared_secret = "short"\n`)).toContain("must have 24 characters at least")
    expect(problemsOf(`${peer}shared_secret = "${SECRET}"\n`)).toBe("")
  })

  test("R25: a port that is taken, or is none, is said, and Herald does not say that it listens", async () => {
    expect(problemsOf("[gateway]\nport = 65535\n[federation]\nenabled = true\n")).toContain(
      "there is no port after",
    )
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    open.push({ close: () => new Promise((resolve) => server.close(resolve)) })
    const { port } = server.address() as AddressInfo
    await expect(
      heraldSite({ config: section("den", `port = ${port}`, 'name = "phone"') }),
    ).rejects.toMatchObject({
      code: "port_in_use",
      message: expect.stringContaining("federation.port"),
    })
  })

  test("is read again while Herald runs: a peer that is gone has no agent here and is not listened to", async () => {
    const { phone, den, url } = await pair()
    const file = join(phone.folder, "assistant.toml")
    writeFileSync(file, readFileSync(file, "utf8").replace(/\[\[federation\.peers\]\][^[]*/, ""))
    const reload = (site: HeraldSite) => site.ask("POST", "/api/settings/reload", {})
    expect(await reload(phone)).toMatchObject([200, { changed: ["federation.peers"] }])
    await vi.waitFor(async () => expect(await agentsOf(phone)).not.toContain("den:Atlas"))
    expect(await phone.ask("GET", "/api/peers")).toMatchObject([200, { enabled: true, peers: [], url: null }])

    const other = join(den.folder, "assistant.toml")
    writeFileSync(other, readFileSync(other, "utf8").replace("[federation]\nenabled = true", "[federation]"))
    expect((await reload(den))[0]).toBe(200)
    await vi.waitFor(() => expect(asPeer(url, "/api/federation", phonesKey())).rejects.toThrow())
  })

  test("S15: nothing that the page saves changes who may do what here", async () => {
    const { den } = await pair({ den: 'exposed_agents = ["Atlas"]' })
    const before = await den.ask("GET", "/api/peers")
    for (const name of ["federation.exposed_agents", "federation.tools", "federation.enabled"])
      expect((await den.ask("PUT", "/api/settings/values", { [name]: null }))[0], name).toBe(400)
    expect((await den.ask("PUT", "/api/settings/values", { "tools.exec": false }))[0]).toBe(200)
    expect(await den.ask("GET", "/api/peers")).toEqual(before)
  })
})
