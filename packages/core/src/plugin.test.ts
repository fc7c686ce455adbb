import { call, scriptedProvider } from "@orra/testing"
import { describe, expect, test } from "vitest"
import {
  InitFailed,
  type JsonObject,
  Namespace,
  type Plugin,
  PluginRegistry,
  Runtime,
  type Tool,
  tool,
} from "./index.ts"

const named = (name: string): Tool =>
  tool({ name, description: "", input: { type: "object" }, risk: "read", execute: () => `${name} was here` })

/** Plugins that write down what happens to them. */
function setup(options: { readonly timeoutMs?: number } = {}) {
  const log: string[] = []
  const plugins = new PluginRegistry(options)
  const plugin = (name: string, more: Partial<Plugin> = {}): Plugin => ({
    name,
    version: "1.0.0",
    init: () => void log.push(`init ${name}`),
    shutdown: () => void log.push(`shutdown ${name}`),
    ...more,
  })
  return { log, plugins, plugin }
}

const boom = () => {
  throw new Error("boom")
}

describe("init", () => {
  test("begins the enabled plugins in order, each with its configuration, and says what they bring", async () => {
    const { log, plugins, plugin } = setup()
    const configs: JsonObject[] = []
    const init = (config: JsonObject) => void configs.push(config)
    plugins.register(plugin("a", { init, tools: () => [named("one"), named("two")] }), {
      config: { key: "k" },
    })
    plugins.register(plugin("off", { tools: () => [named("one")] }), { enabled: false })
    plugins.register(plugin("b", { init, tools: () => [named("three")], hooks: () => [{ name: "b" }] }))
    const { tools, hooks } = await plugins.init()
    expect(configs).toEqual([{ key: "k" }, {}])
    expect(tools.map(({ definition }) => definition.name)).toEqual(["one", "two", "three"])
    expect(hooks.map(({ name }) => name)).toEqual(["b"])
    expect([plugins.tools, plugins.hooks, log]).toEqual([tools, hooks, []])
    expect(plugins.list()).toMatchObject([
      { name: "a", version: "1.0.0", description: "", enabled: true, initialised: true },
      { name: "off", enabled: false, initialised: false },
      { name: "b", enabled: true, initialised: true },
    ])
  })

  test("what they bring works in a runtime", async () => {
    const { log, plugins, plugin } = setup()
    let greeting = ""
    plugins.register(
      plugin("greeter", {
        init: ({ greeting: given }) => {
          greeting = String(given)
        },
        tools: () => [
          tool({
            name: "greet",
            description: "",
            input: { type: "object" },
            risk: "read",
            execute: () => greeting,
          }),
        ],
        hooks: () => [{ afterTool: ({ name, status }) => void log.push(`${name} ${status}`) }],
      }),
      { config: { greeting: "Hei" } },
    )
    const { tools, hooks } = await plugins.init()
    const provider = scriptedProvider([call("greet"), "done"])
    await new Runtime({ provider, tools, hooks }).run(Namespace.of("ann"), "Go")
    expect(JSON.stringify(provider.requests[1])).toContain("Hei")
    expect(log).toEqual(["greet ok"])
  })

  test.each([
    ["throws", { init: boom }],
    ["rejects", { init: () => Promise.reject(new Error("boom")) }],
    ["has no tools to give", { tools: boom }],
    ["has no hooks to give", { hooks: boom }],
  ])(
    "one that %s: those that had begun are shut down in reverse, and nothing has begun",
    async (_, broken) => {
      const { log, plugins, plugin } = setup()
      plugins.register(plugin("a", { tools: () => [named("one")], hooks: () => [{}] }))
      plugins.register(plugin("b", { shutdown: boom }))
      plugins.register(plugin("c", broken))
      plugins.register(plugin("d"))
      const failure = await plugins.init().catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(InitFailed)
      expect(failure).toMatchObject({
        code: "plugin_init_failed",
        plugin: "c",
        message: 'The plugin "c" could not begin: boom',
        cause: new Error("boom"),
      })
      const rolledBack = failure instanceof InitFailed ? failure.rolledBack : []
      expect(rolledBack.slice(-2)).toMatchObject([
        { name: "b", ok: false },
        { name: "a", ok: true },
      ])
      expect(log.filter((line) => !line.endsWith(" c"))).toEqual(["init a", "init b", "shutdown a"])
      expect([plugins.tools, plugins.hooks]).toEqual([[], []])
      expect(plugins.list().some(({ initialised }) => initialised)).toBe(false)
      expect(await plugins.shutdown()).toEqual([])
    },
  )

  test("one whose tools could not be taken has begun, so it is shut down as well", async () => {
    const { log, plugins, plugin } = setup()
    plugins.register(plugin("a", { tools: () => [named("one")] }))
    plugins.register(plugin("b", { tools: () => [named("two"), named("one")] }))
    await expect(plugins.init()).rejects.toMatchObject({ plugin: "b", cause: { code: "tool_exists" } })
    expect(log).toEqual(["init a", "init b", "shutdown b", "shutdown a"])
  })

  test("refuses a tool that the application has itself", async () => {
    const { plugins, plugin } = setup()
    plugins.register(plugin("a", { tools: () => [named("one")] }))
    await expect(plugins.init([named("one")])).rejects.toThrow('"one" is already a tool of the application.')
    expect((await plugins.init([named("two")])).tools).toHaveLength(1)
  })

  test("after a failure it can be tried again", async () => {
    const { plugins, plugin } = setup()
    let broken = true
    plugins.register(plugin("a", { init: () => (broken ? boom() : undefined) }))
    await expect(plugins.init()).rejects.toBeInstanceOf(InitFailed)
    broken = false
    await plugins.init()
    expect(plugins.list()[0]?.initialised).toBe(true)
  })

  test("one that does not end in time fails, and is told", async () => {
    const { plugins, plugin } = setup({ timeoutMs: 5 })
    let told: AbortSignal | undefined
    plugins.register(
      plugin("slow", {
        init: (_, { signal }) => {
          told = signal
          return new Promise(() => {})
        },
      }),
    )
    await expect(plugins.init()).rejects.toMatchObject({ plugin: "slow" })
    expect(told?.aborted).toBe(true)
  })

  test("its configuration is a copy, which neither side can change for the other", async () => {
    const { plugins, plugin } = setup()
    const config = { list: ["a"] }
    const seen: unknown[] = []
    const init = (given: JsonObject) => {
      seen.push(structuredClone(given))
      ;(given["list"] as string[]).push("changed")
    }
    plugins.register(plugin("a", { init }), { config })
    config.list.push("b")
    await plugins.init()
    await plugins.shutdown()
    await plugins.init()
    expect(seen).toEqual([{ list: ["a"] }, { list: ["a"] }])
  })
})

describe("shutdown", () => {
  test("ends those that have begun, last one first, each even when another fails or hangs", async () => {
    const { log, plugins, plugin } = setup({ timeoutMs: 5 })
    plugins.register(plugin("a"))
    plugins.register(plugin("b", { shutdown: boom }))
    plugins.register(plugin("c", { shutdown: () => new Promise(() => {}) }))
    plugins.register(plugin("d"))
    await plugins.init()
    expect(await plugins.shutdown()).toMatchObject([
      { name: "d", ok: true },
      { name: "c", ok: false },
      { name: "b", ok: false, error: new Error("boom") },
      { name: "a", ok: true },
    ])
    expect(log.slice(-2)).toEqual(["shutdown d", "shutdown a"])
    expect([plugins.tools, await plugins.shutdown()]).toEqual([[], []])
  })

  test("asked for while plugins begin, it waits and ends all of them", async () => {
    const { log, plugins, plugin } = setup()
    const gate = Promise.withResolvers<void>()
    plugins.register(plugin("a", { init: () => gate.promise }))
    plugins.register(plugin("b"))
    const begun = plugins.init()
    const again = plugins.init().catch((error: unknown) => error)
    const ended = plugins.shutdown()
    gate.resolve()
    await begun
    expect(await again).toMatchObject({ code: "plugins_running" })
    expect((await ended).map(({ name }) => name)).toEqual(["b", "a"])
    expect(log).toEqual(["init b", "shutdown b", "shutdown a"])
  })
})

describe("what is registered", () => {
  test("has a name of its own, and does not change while it is in use", async () => {
    const { plugins, plugin } = setup()
    plugins.register(plugin("a"))
    expect(() => plugins.register(plugin("a"))).toThrow('There is already a plugin "a".')
    expect(() => plugins.register(plugin(" "))).toThrow("needs a name")
    expect(plugins.setEnabled("nobody", true)).toBe(false)
    await plugins.init()
    expect(() => plugins.register(plugin("b"))).toThrow("shut them down before")
    expect(() => plugins.setEnabled("a", false)).toThrow("shut them down before")
    await plugins.shutdown()
    expect(plugins.setEnabled("a", false)).toBe(true)
    expect((await plugins.init()).tools).toEqual([])
    expect(plugins.list()[0]).toMatchObject({ enabled: false, initialised: false })
  })
})
