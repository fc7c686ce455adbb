import { MemoryChannel, scriptedProvider } from "@orra/testing"
import { describe, expect, test } from "vitest"
import type { InboundMessage } from "./channel.ts"
import { messageText } from "./message.ts"
import { Namespace } from "./namespace.ts"
import { Router, type RouterOptions } from "./router.ts"
import { Runtime } from "./runtime.ts"

const bob = Namespace.of("acme", "bob")
const agents = new Map(
  ["Atlas", "CodeBot"].map((name) => [
    name,
    new Runtime({ provider: scriptedProvider([], { otherwise: `I am ${name}.` }) }),
  ]),
)

/** What one message is answered with. */
async function answer(
  options: Omit<RouterOptions, "agents">,
  more: Partial<InboundMessage> = {},
  channel = new MemoryChannel(),
): Promise<string | undefined> {
  const router = new Router([channel], { agents, onError: () => {}, ...options })
  const run = router.run()
  channel.push(bob, "Hi", more)
  await channel.until(() => channel.sent.length === 1)
  await router.stop()
  await run
  return channel.sent[0]?.text
}

describe("a message finds its agent", () => {
  const metadata = { type: "metadata", key: "agent" } as const

  test("by a fixed name, whatever the case", async () => {
    expect(await answer({ rules: [{ type: "static", agent: "codebot" }] })).toBe("I am CodeBot.")
  })

  test("by the first segment of its namespace, which ends at the segment", async () => {
    const rules = [{ type: "namespace" }] as const
    const namespace = Namespace.of("CODEBOT", "bob")
    expect(await answer({ rules }, { namespace })).toBe("I am CodeBot.")
    const other = { namespace: Namespace.of("codebot/x", "bob") }
    expect(await answer({ rules, default: "Atlas" }, other)).toBe("I am Atlas.")
  })

  test("by its metadata, else by the name of the channel", async () => {
    expect(await answer({ rules: [metadata] }, { metadata: { agent: "codeBOT" } })).toBe("I am CodeBot.")
    expect(await answer({ rules: [metadata] }, {}, new MemoryChannel("atlas"))).toBe("I am Atlas.")
  })

  test("by a function, which may take its time or leave it to the next", async () => {
    const rules: RouterOptions["rules"] = [() => undefined, async (_, channel) => channel.toUpperCase()]
    expect(await answer({ rules }, {}, new MemoryChannel("codebot"))).toBe("I am CodeBot.")
  })

  test("by its own word before all rules", async () => {
    const rules = [{ type: "static", agent: "Atlas" }] as const
    expect(await answer({ rules }, { agent: "CodeBot" })).toBe("I am CodeBot.")
  })

  test("by the first rule that names one there is, else it is the default's", async () => {
    const rules = [metadata, { type: "static", agent: "nobody" }] as const
    expect(await answer({ rules, default: "codebot" }, { metadata: { agent: "gone" } })).toBe("I am CodeBot.")
  })

  test("or is answered with an error", async () => {
    expect(await answer({ rules: [metadata] })).toBe("! unroutable")
    expect(await answer({ default: "Atlas" }, { agent: "Gone" })).toBe("! agent_not_found")
    const failing = () => {
      throw new Error("broken rule")
    }
    expect(await answer({ rules: [failing], default: "Atlas" })).toBe("! internal")
  })
})

describe("a router", () => {
  test("serves several channels, and each hears its own answers", async () => {
    const channels = [new MemoryChannel("atlas"), new MemoryChannel("codebot")] as const
    const router = new Router(channels, { agents, rules: [{ type: "metadata", key: "agent" }] })
    const run = router.run()
    for (const channel of channels)
      channel.push(Namespace.of("on", channel.name), "Hi", { metadata: { n: 1 } })
    for (const channel of channels) await channel.until(() => channel.sent.length === 1)
    await router.stop()
    await run
    expect(channels.map(({ answers }) => answers[0]?.result.text)).toEqual(["I am Atlas.", "I am CodeBot."])
    expect(channels.map(({ answers }) => answers[0]?.metadata)).toEqual([{ n: 1 }, { n: 1 }])
    expect(channels.map(({ receivers }) => receivers)).toEqual([0, 0])
  })

  test("keeps the order of a session's messages although it takes long to find whom one is for", async () => {
    const channel = new MemoryChannel()
    const hold = Promise.withResolvers<string>()
    const rules: RouterOptions["rules"] = [({ message }) => (message === "one" ? hold.promise : "CodeBot")]
    const router = new Router([channel], { agents, rules })
    const run = router.run()
    const place = Namespace.of("acme", "ordered")
    channel.push(place, "one")
    channel.push(place, "two")
    channel.push(Namespace.of("acme", "another"), "three")
    await channel.until(() => channel.sent.length === 1)
    hold.resolve("CodeBot")
    await channel.until(() => channel.sent.length === 3)
    await router.stop()
    await run
    const said = await agents.get("CodeBot")?.store.read(place, { types: ["user"] })
    expect(said?.map((entry) => entry.type === "user" && messageText(entry.message))).toEqual(["one", "two"])
  })

  test("goes on with the others when a channel breaks, and says so at the end", async () => {
    const channels = [new MemoryChannel("one"), new MemoryChannel("two")] as const
    const errors: unknown[] = []
    const broken = Promise.withResolvers<void>()
    const router = new Router(channels, {
      agents,
      default: "Atlas",
      onError: (error, channel) => {
        errors.push([channel, (error as Error).message])
        broken.resolve()
      },
    })
    const run = router.run()
    channels[0].end(new Error("socket closed"))
    await broken.promise
    channels[1].push(bob, "Hi")
    await channels[1].until(() => channels[1].sent.length === 1)
    channels[1].end()
    await expect(run).rejects.toThrow("socket closed")
    expect(errors).toEqual([["one", "socket closed"]])
    expect(router.running).toBe(false)
  })

  test("is refused without channels, with a default that is nobody, and with two agents of one name", () => {
    expect(() => new Router([], { agents })).toThrow("without channels")
    expect(() => new Router([new MemoryChannel()], { agents, default: "Nova" })).toThrow('"Nova"')
    const [atlas] = agents.values()
    if (!atlas) throw new Error("no agent")
    const twice = new Map([
      ["Atlas", atlas],
      ["ATLAS", atlas],
    ])
    expect(() => new Router([new MemoryChannel()], { agents: twice })).toThrow("same name")
  })
})
