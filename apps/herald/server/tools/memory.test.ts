import { MemoryStore, Namespace } from "@orra/core"
import { toolBench } from "@orra/testing"
import { expect, test } from "vitest"
import { parseConfig } from "../config/load.ts"
import { heraldMemory } from "./memory.ts"

const KEYS = '[[gateway.keys]]\nname = "ada"\nkey = "k"\nnamespace = "family:ada"\n'

test("each person has a memory of their own for all chats, in Discord for each channel", async () => {
  const { config } = parseConfig(KEYS, "a.toml", {})
  const { tools } = heraldMemory(config, new MemoryStore())
  const of = (...user: readonly string[]) => toolBench(tools, { user: Namespace.of(...user) })
  const said = async (bench: ReturnType<typeof of>): Promise<string> =>
    JSON.stringify(await bench.call("recall", { query: "wifi" }))
  await of("web").call("remember", { content: "The wifi of the owner." })
  await of("family", "ada").call("remember", { content: "The wifi of Ada." })
  await of("discord", "1", "2", "3").call("remember", { content: "The wifi of three." })
  expect(await said(of("web"))).toContain("of the owner")
  expect(await said(of("web"))).not.toMatch(/Ada|three/)
  expect(await said(of("family", "ada"))).toContain("of Ada")
  expect(await said(of("family", "ada"))).not.toMatch(/owner|three/)
  expect(await said(of("discord", "1", "2", "3"))).toContain("of three")
  expect(await said(of("discord", "1", "2", "4"))).not.toContain("wifi of")
  expect(await said(of("nobody"))).toContain("no memory here")
})
