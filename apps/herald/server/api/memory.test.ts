import { Namespace } from "@orra/core"
import { Memories } from "@orra/memory"
import { sqliteStore } from "@orra/store-sql"
import { afterAll, beforeAll, expect, test } from "vitest"
import { type HeraldSite, heraldSite } from "../fixture.ts"

let site: HeraldSite

beforeAll(async () => {
  site = await heraldSite()
  const store = await sqliteStore({ path: site.database })
  const memories = new Memories(store)
  const said = { outside: true, principal: "owner", session: "web:chat-1", runId: "run-1" }
  await memories.remember(Namespace.of("web"), { content: "The wifi is called Orchard.", source: said })
  await memories.remember(Namespace.of("web"), {
    content: "The car is serviced in May.",
    tags: ["car"],
    source: { outside: false, principal: "owner" },
  })
  await memories.remember(Namespace.of("ada"), {
    content: "Ada is allergic to nuts.",
    source: { outside: false, principal: "Ada" },
  })
  await store.close()
})
afterAll(() => site.close())

test("D9: a person sees, finds, edits and forgets what is remembered of them, and takes it back", async () => {
  const all = await site.ask("GET", "/api/memory")
  expect(all).toMatchObject([
    200,
    {
      memories: [
        { content: "The car is serviced in May.", tags: ["car"] },
        { content: "The wifi is called Orchard." },
      ],
    },
  ])
  const [, { memories }] = all as [number, { memories: { id: string; source: unknown }[] }]
  const [car, wifi] = memories.map(({ id }) => id)
  expect(memories[1]?.source).toEqual({
    outside: true,
    principal: "owner",
    session: "web:chat-1",
    runId: "run-1",
  })
  expect(await site.ask("GET", "/api/memory?q=WIFI")).toMatchObject([200, { memories: [{ id: wifi }] }])

  const edited = await site.ask("PATCH", `/api/memory/${wifi}`, { content: "The wifi is called Pear." })
  // Whoever corrects it vouches for it.
  expect(edited).toMatchObject([
    200,
    {
      memory: { content: "The wifi is called Pear.", source: { outside: false, principal: "owner" } },
      change: expect.any(Number),
    },
  ])
  const [, forgotten] = await site.ask("DELETE", `/api/memory/${car}`)
  expect(await site.ask("GET", "/api/memory?q=serviced")).toEqual([200, { memories: [] }])
  expect(await site.ask("POST", "/api/memory/undo", forgotten)).toMatchObject([200, {}])
  expect(await site.ask("GET", "/api/memory?q=serviced")).toMatchObject([200, { memories: [{ id: car }] }])

  const [, added] = await site.ask("POST", "/api/memory", {
    content: "Bins go out on Tuesday.",
    tags: ["home"],
  })
  expect(added).toMatchObject({ memory: { tags: ["home"], source: { outside: false, principal: "owner" } } })
  expect(await site.ask("PATCH", `/api/memory/${car}`, { content: "bins go out on tuesday." })).toMatchObject(
    [409, { code: "memory_exists" }],
  )
})

test("nobody sees, changes or takes back a memory of somebody else", async () => {
  const [, mine] = await site.ask("GET", "/api/memory?q=wifi")
  const [{ id } = { id: "" }] = (mine as { memories: { id: string }[] }).memories
  const [status, hers] = await site.ask("GET", "/api/memory", undefined, "ada")
  expect([status, JSON.stringify(hers)]).toEqual([200, expect.stringContaining("nuts")])
  expect(JSON.stringify(hers)).not.toMatch(/wifi|car/)
  expect(await site.ask("GET", "/api/memory?q=wifi", undefined, "ada")).toEqual([200, { memories: [] }])
  for (const [method, path, body] of [
    ["PATCH", `/api/memory/${id}`, { content: "Hers now." }],
    ["DELETE", `/api/memory/${id}`, undefined],
    ["PATCH", "/api/memory/no-such-id", { content: "Nobody's." }],
    ["DELETE", "/api/memory/no-such-id", undefined],
  ] as const)
    expect(await site.ask(method, path, body, "ada"), path).toMatchObject([404, { code: "not_found" }])
  const [, { change }] = (await site.ask("DELETE", `/api/memory/${id}`)) as [number, { change: number }]
  // The number is one of her own changes, or none: never his.
  const [undone] = await site.ask("POST", "/api/memory/undo", { change }, "ada")
  expect(undone).toBe(404)
  expect(await site.ask("GET", "/api/memory?q=wifi")).toEqual([200, { memories: [] }])
  expect((await site.ask("GET", "/api/memory", undefined, "nobody"))[0]).toBe(401)
})

test("what is no memory is refused, with what to do", async () => {
  for (const [path, body] of [
    ["/api/memory", {}],
    ["/api/memory", { content: "  " }],
    ["/api/memory", { content: 5 }],
    ["/api/memory", { content: "x".repeat(5_000) }],
    ["/api/memory", { content: "x", tags: "home" }],
    ["/api/memory", { content: "x", tags: [""] }],
    ["/api/memory", { content: "x", namespace: "web" }],
    ["/api/memory/undo", {}],
    ["/api/memory/undo", { change: -1 }],
  ] as const)
    expect(await site.ask("POST", path, body), JSON.stringify(body).slice(0, 60)).toMatchObject([
      400,
      { code: expect.any(String) },
    ])
  expect((await site.ask("POST", "/api/memory/undo", { change: 999 }))[0]).toBe(404)
})
