import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { afterEach, describe, expect, test } from "vitest"
import { z } from "zod"
import { TEXT, TestEngine } from "./fixture.ts"
import { initAgent, initService, type PlanService, type ServiceOptions } from "./index.ts"

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function engine(...given: ConstructorParameters<typeof TestEngine>): Promise<TestEngine> {
  const made = await new TestEngine(...given).listen()
  ends.push(() => made.close())
  return made
}

function service(at: TestEngine, name: string, more?: Partial<ServiceOptions>): PlanService {
  const made = initService(at.options(name, more))
  ends.push(() => made.shutdown({ timeoutMs: 0 }))
  return made
}

const idOf = ({ info }: { readonly info: PlanService["info"] }): string => String(info.id)

describe("registration", () => {
  test("gives an id, which is kept where the original kept it, and is the same one later", async () => {
    const shop = await engine()
    const first = service(shop, "echo")
    expect(first.info).toEqual({ id: undefined, version: 0, revertible: false, revertTTL: 86_400_000 })
    await first.register({ description: "Says it again.", schema: TEXT })
    expect(first.info).toMatchObject({ id: expect.stringMatching(/^s_[a-zA-Z0-9]+$/), version: 1 })
    expect(JSON.parse(await readFile(join(shop.folder, "echo.json"), "utf8"))).toEqual({ id: first.info.id })
    await first.shutdown()

    const second = service(shop, "echo")
    await second.register({ description: "Says it again.", schema: TEXT })
    expect(second.info).toMatchObject({ id: first.info.id, version: 2 })
    await expect(first.register({ description: "Again.", schema: TEXT })).rejects.toMatchObject({
      code: "plan_service_closed",
    })
  })
})

describe("a task", () => {
  test("is done with types that follow from the schemas, by an agent too", async () => {
    const shop = await engine()
    const agent = initAgent(shop.options("counter"))
    ends.push(() => agent.shutdown({ timeoutMs: 0 }))
    const counter = await agent.register({
      description: "Counts letters.",
      schema: { input: z.object({ text: z.string() }), output: z.object({ letters: z.number() }) },
    })
    counter.start(({ input }) => ({ letters: input.text.length }))
    expect(await shop.ended(await shop.begin(idOf(agent), { text: "abc" }))).toMatchObject({
      status: "completed",
      results: [{ letters: 3 }],
    })
    expect(shop.errors).toEqual([])
  })
})
