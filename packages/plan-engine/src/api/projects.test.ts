import { MemoryStore, Namespace, type Records } from "@orra/core"
import { describe, expect, test } from "vitest"
import { newApiKey } from "../ids.ts"
import { PlanServices, type ServiceRegistration } from "../wire/services.ts"
import { PlanProjects } from "./projects.ts"

const ROOT = Namespace.of("plans")

/** Everything that a collection holds, as text. */
const written = async (records: Records): Promise<string> =>
  JSON.stringify((await records.list(ROOT, { below: true })).items)

describe("a project", () => {
  test("is found by each of its keys, and by none that was revoked", async () => {
    const projects = new PlanProjects(new MemoryStore(), ROOT)
    const { project, apiKey } = await projects.register({ name: "shop" })
    const second = await projects.addKey(project.id)
    expect((await projects.byKey(apiKey))?.project.id).toBe(project.id)
    expect((await projects.byKey(second.apiKey))?.project.id).toBe(project.id)
    await projects.revokeKey(project.id, second.key.id)
    expect(await projects.byKey(second.apiKey)).toBeUndefined()
    expect(await projects.byKey(newApiKey())).toBeUndefined()
    await expect(projects.revokeKey(project.id, second.key.id)).rejects.toMatchObject({ code: "not_found" })
    const [last] = (await projects.get(project.id))?.keys ?? []
    await expect(projects.revokeKey(project.id, last?.id ?? "")).rejects.toMatchObject({
      code: "plan_last_key",
    })
  })

  test("is not found by a key whose revocation was cut off half way", async () => {
    const store = new MemoryStore()
    const projects = new PlanProjects(store, ROOT)
    const { project } = await projects.register({ name: "shop" })
    const second = await projects.addKey(project.id)
    const hash = await projects.revokeKey(project.id, second.key.id)
    await store.records("plan-keys").put(ROOT, hash, project.id)
    expect(await projects.byKey(second.apiKey)).toBeUndefined()
  })

  test("W-S1: has its keys nowhere in clear", async () => {
    const store = new MemoryStore()
    const projects = new PlanProjects(store, ROOT)
    const { project, apiKey } = await projects.register({ name: "shop" })
    const second = await projects.addKey(project.id)
    const all = (await written(store.records("plan-projects"))) + (await written(store.records("plan-keys")))
    expect(all).toContain(project.id)
    for (const key of [apiKey, second.apiKey]) expect(all).not.toContain(key.slice(11))
  })

  test("has webhooks, each once, that are web addresses", async () => {
    const projects = new PlanProjects(new MemoryStore(), ROOT)
    const { project } = await projects.register({ name: "shop", webhooks: ["http://a.example/x"] })
    const hooks = async () => (await projects.get(project.id))?.webhooks
    await projects.addWebhook(project.id, "webhooks", "https://b.example/")
    await projects.addWebhook(project.id, "webhooks", "https://b.example/")
    expect(await hooks()).toEqual(["http://a.example/x", "https://b.example/"])
    await projects.removeWebhook(project.id, "webhooks", "http://a.example/x")
    expect(await hooks()).toEqual(["https://b.example/"])
    for (const url of ["no", "file:///etc/passwd", ""])
      await expect(projects.addWebhook(project.id, "webhooks", url)).rejects.toMatchObject({
        code: "invalid_input",
      })
  })
})

describe("a service", () => {
  const schema = { type: "object", properties: { text: { type: "string", enum: ["a"] } } }
  const echo: ServiceRegistration = {
    kind: "service",
    name: "echo",
    description: "Says it again.",
    input: schema,
    output: schema,
    revertible: false,
  }

  test("keeps its id and gets another version when it registers again, also at the same time", async () => {
    const services = new PlanServices(new MemoryStore(), ROOT)
    const { id, version } = await services.register("p_1", { ...echo, id: "" })
    expect([id, version]).toEqual([expect.stringMatching(/^s_[a-z]{28}$/), 1])
    const again = await Promise.all(
      [1, 2, 3].map(() => services.register("p_1", { ...echo, id, kind: "agent" })),
    )
    expect(again.map((each) => each.version).toSorted()).toEqual([2, 3, 4])
    expect(await services.list("p_1")).toEqual([expect.objectContaining({ id, version: 4, kind: "agent" })])
    expect((await services.get("p_1", id))?.input, "the whole schema").toEqual(schema)
  })

  test("D8: with the id of another project gets one of its own, and leaves that one's alone", async () => {
    const services = new PlanServices(new MemoryStore(), ROOT)
    const { id } = await services.register("p_1", echo)
    const other = await services.register("p_2", { ...echo, id, description: "Another." })
    expect(other).toMatchObject({ version: 1 })
    expect(other.id).not.toBe(id)
    expect(await services.get("p_1", id)).toMatchObject({ version: 1, description: echo.description })
    expect(await services.get("p_2", id)).toBeUndefined()
  })

  test("can be removed, and is not found then", async () => {
    const services = new PlanServices(new MemoryStore(), ROOT)
    const { id } = await services.register("p_1", echo)
    await services.remove("p_1", id)
    expect(await services.list("p_1")).toEqual([])
    await expect(services.remove("p_1", id)).rejects.toMatchObject({ code: "not_found" })
  })

  test.each([
    ["a name in capitals", { name: "Echo" }],
    ["a name that is too short", { name: "ab" }],
    ["no description", { description: " " }],
    ["an input that is no object", { input: { type: "string" } }],
    ["an input of nothing", { input: { type: "object", properties: {} } }],
    ["a list of nothing", { output: { type: "object", properties: { list: { type: "array" } } } }],
    ["a type that is none", { output: { type: "object", properties: { at: { type: "date" } } } }],
  ])("with %s is refused", async (_, wrong) => {
    const services = new PlanServices(new MemoryStore(), ROOT)
    await expect(services.register("p_1", { ...echo, ...wrong })).rejects.toMatchObject({
      code: "invalid_input",
    })
  })
})
