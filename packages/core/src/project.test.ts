import { call, type ScriptedAnswer, scriptedProvider } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { type Entry, MemoryStore, Namespace, PolicyRegistry, Projects, Runtime, tool } from "./index.ts"

const acme = Namespace.of("tenant", "acme")
const other = Namespace.of("tenant", "other")

const named = (name: string, risk: "read" | "write" = "read") =>
  tool({ name, description: "", input: { type: "object" }, risk, execute: () => `${name} was here` })

function setup(policies = PolicyRegistry.allowAll()) {
  const store = new MemoryStore()
  let now = 0
  const projects = new Projects(store, { policies, clock: () => ++now })
  const answers: ScriptedAnswer[] = []
  const provider = scriptedProvider([], { otherwise: () => answers.shift() ?? "done" })
  const runtime = new Runtime({
    provider,
    store,
    tools: [named("fetch"), named("read_file"), named("write_file", "write")],
    policies: projects.policies,
    hooks: [projects.hooks],
    systemPrompt: projects.systemPrompt("Be brief."),
  })
  const asked = (n = -1) => provider.requests.at(n)
  const toolsOf = (n = -1) => asked(n)?.tools.map(({ name }) => name)
  return { store, projects, answers, runtime, asked, toolsOf }
}

describe("projects", () => {
  test("are created, found, changed, listed and deleted, each owner's for itself", async () => {
    const { projects } = setup()
    const site = await projects.create(acme, { id: "site", name: "Website", metadata: { lang: "en" } })
    expect(site).toMatchObject({
      id: "site",
      namespace: Namespace.parse("tenant:acme:project:site"),
      name: "Website",
      description: "",
      metadata: { lang: "en" },
      active: true,
      createdAt: 1,
    })
    await projects.create(acme, {
      id: "app",
      name: "App",
      active: false,
      enabledTools: [],
      systemPrompt: "Hi",
    })
    await projects.create(other, { id: "site", name: "Theirs" })
    expect(await projects.get(acme, "site")).toEqual(site)
    expect(await projects.get(acme, "nothing")).toBeUndefined()
    expect((await projects.list(acme)).items.map(({ name }) => name)).toEqual(["App", "Website"])
    expect((await projects.list(acme, { active: true })).items.map(({ name }) => name)).toEqual(["Website"])
    expect((await projects.list(acme, { active: false })).items.map(({ name }) => name)).toEqual(["App"])
    const first = await projects.list(acme, { limit: 1 })
    expect(first.items.map(({ id }) => id)).toEqual(["app"])
    expect((await projects.list(acme, { cursor: first.cursor ?? "" })).items.map(({ id }) => id)).toEqual([
      "site",
    ])

    const changed = await projects.update(acme, "app", {
      name: "The app",
      active: true,
      systemPrompt: null,
      enabledTools: null,
    })
    expect(changed).toMatchObject({ name: "The app", active: true, createdAt: 2 })
    expect(changed).not.toHaveProperty("systemPrompt")
    expect(changed).not.toHaveProperty("enabledTools")
    expect(await projects.get(acme, "app")).toEqual(changed)

    expect(await projects.delete(acme, "site")).toBe(true)
    expect(await projects.delete(acme, "site")).toBe(false)
    expect(await projects.get(acme, "site")).toBeUndefined()
    expect((await projects.get(other, "site"))?.name).toBe("Theirs")
  })

  test("what cannot be one is refused, and changes nothing", async () => {
    const { projects } = setup()
    await projects.create(acme, { id: "site", name: "Website" })
    await expect(projects.create(acme, { id: "site", name: "Again" })).rejects.toMatchObject({
      code: "project_exists",
    })
    await expect(projects.create(acme, { id: "x", name: " " })).rejects.toMatchObject({
      code: "invalid_input",
    })
    await expect(projects.create(acme, { id: "", name: "X" })).rejects.toMatchObject({
      code: "namespace_invalid",
    })
    await expect(projects.create(Namespace.of("acme"), { id: "x", name: "X" })).rejects.toThrow("ownerDepth")
    await expect(projects.update(acme, "site", { enabledTools: [""] })).rejects.toMatchObject({
      code: "invalid_input",
    })
    await expect(projects.update(acme, "nothing", { name: "X" })).rejects.toMatchObject({ code: "not_found" })
    expect((await projects.list(acme)).items.map(({ name }) => name)).toEqual(["Website"])
  })

  test("changes that meet are all there, and one of two that create it is told so", async () => {
    const { projects } = setup()
    const both = await Promise.allSettled(
      ["One", "Two"].map((name) => projects.create(acme, { id: "site", name })),
    )
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"])
    await Promise.all([
      projects.update(acme, "site", { description: "About us" }),
      projects.update(acme, "site", { systemPrompt: "Be kind." }),
      projects.update(acme, "site", { metadata: { lang: "no" } }),
    ])
    expect(await projects.get(acme, "site")).toMatchObject({
      description: "About us",
      systemPrompt: "Be kind.",
      metadata: { lang: "no" },
    })
  })
})

describe("a session below a project", () => {
  test("has the project's prompt and tools; one beside it does not", async () => {
    const { projects, runtime, asked, toolsOf } = setup()
    const site = await projects.create(acme, {
      id: "site",
      name: "Website",
      systemPrompt: "You look after the website.",
      enabledTools: ["fetch", "read_*"],
    })
    await runtime.run(site.namespace.child("user", "bob", "chat"), "Go")
    expect([asked()?.system, toolsOf()]).toEqual([
      "Be brief.\n\nYou look after the website.",
      ["fetch", "read_file"],
    ])
    for (const beside of [
      "tenant:acme:user:bob",
      "tenant:acme:projects:site",
      "tenant:acme:user:project:site",
    ]) {
      await runtime.run(Namespace.parse(beside), "Go")
      expect([asked()?.system, toolsOf()]).toEqual(["Be brief.", ["fetch", "read_file", "write_file"]])
    }
  })

  test("is refused at the door what the project has not enabled", async () => {
    const { projects, runtime, answers, store } = setup()
    const { namespace } = await projects.create(acme, {
      id: "site",
      name: "Website",
      enabledTools: ["fetch"],
    })
    answers.push(call("write_file"), "done")
    await runtime.run(namespace.child("chat"), "Go")
    expect(await store.read(namespace.child("chat"), { types: ["tool_intent"] })).toMatchObject([
      { decision: "deny", reason: "tenant:acme:project:site: default deny" },
    ])
  })

  test("never gets more than it would have without the project", async () => {
    const policies = new PolicyRegistry({ default: "deny" })
    policies.set(acme, { allow: ["fetch"] })
    policies.set(Namespace.parse("tenant:acme:project:site"), { deny: ["read_file"] })
    const { projects, runtime, toolsOf } = setup(policies)
    const site = await projects.create(acme, { id: "site", name: "Website", enabledTools: ["*"] })
    await runtime.run(site.namespace.child("chat"), "Go")
    expect(toolsOf()).toEqual(["fetch"])
    expect(policies.explain(site.namespace, { tool: "fetch", risk: "read" }).decision).toBe("allow")
  })

  test("knows what another process changed, from its next run and its next call on", async () => {
    const { projects, runtime, store, answers, toolsOf } = setup()
    const elsewhere = new Projects(store)
    const { namespace } = await projects.create(acme, {
      id: "site",
      name: "Website",
      enabledTools: ["fetch"],
    })
    const session = namespace.child("chat")
    await runtime.run(session, "Go")
    await elsewhere.update(acme, "site", { enabledTools: ["read_file", "write_file"] })
    await runtime.run(session, "Go")
    expect(toolsOf()).toEqual(["read_file", "write_file"])
    await elsewhere.update(acme, "site", { enabledTools: null })
    await runtime.run(session, "Go")
    expect(toolsOf()).toEqual(["fetch", "read_file", "write_file"])
    answers.push(async () => {
      await elsewhere.update(acme, "site", { enabledTools: ["fetch"] })
      return call("write_file")
    }, "done")
    await runtime.run(session, "Go")
    const intents = (await store.read(session, { types: ["tool_intent"] })) as readonly Entry<"tool_intent">[]
    expect(intents.map(({ decision }) => decision)).toEqual(["deny"])
  })

  test("does not run when the project is not active, was deleted, or never was", async () => {
    const { projects, runtime, answers, store } = setup()
    const { namespace } = await projects.create(acme, { id: "site", name: "Website" })
    const session = namespace.child("chat")
    const outcome = async () => {
      const { outcome, error } = await runtime.run(session, "Go")
      return [outcome, error?.message]
    }
    await new Projects(store).update(acme, "site", { active: false })
    expect(await outcome()).toEqual(["stopped", "This project is not active."])
    await projects.update(acme, "site", { active: true })
    expect(await outcome()).toEqual(["completed", undefined])
    answers.push(async () => {
      await new Projects(store).update(acme, "site", { active: false })
      return call("fetch")
    })
    expect(await outcome()).toEqual(["stopped", "This project is not active."])
    await projects.update(acme, "site", { active: true })
    answers.push(async () => {
      await new Projects(store).delete(acme, "site")
      return call("fetch")
    }, "done")
    await runtime.run(session, "Go")
    const intents = await store.read(session, { types: ["tool_intent"] })
    expect(intents).toMatchObject([{ decision: "deny" }, { decision: "deny" }])
    expect(await outcome()).toEqual(["stopped", "This project does not exist."])
    const { error } = await runtime.run(acme.child("project", "never", "chat"), "Go")
    expect(error?.message).toBe("This project does not exist.")
    await projects.create(acme, { id: "site", name: "Website again" })
    expect(await outcome()).toEqual(["completed", undefined])
  })
})
