import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { readSettings, VARIABLES, withEnvFile } from "./settings.ts"

const read = (env: Readonly<Record<string, string>>) => readSettings({ HOME: "/home/ada", ...env }, "/work")

test("a key is enough", () => {
  expect(read({ LLM_API_KEY: "k" })).toEqual({
    host: "127.0.0.1",
    port: 8005,
    model: { type: "openai", name: undefined, apiKey: "k", baseURL: undefined },
    embeddings: undefined,
    store: { type: "sqlite", path: "/home/ada/.orra/plan-engine/plans.db" },
    keepMs: undefined,
    adminKey: undefined,
    arePlansKept: true,
    areInternalWebhooksAllowed: false,
    logLevel: "info",
    hasErrorStacks: true,
  })
})

test("folders are seen from where it is started, and a database on the network wins over a file", () => {
  const path = (folder: string) => read({ LLM_API_KEY: "k", STORAGE_PATH: folder }).store
  expect(path("data")).toEqual({ type: "sqlite", path: "/work/data/plans.db" })
  expect(path("~/plans")).toEqual({ type: "sqlite", path: "/home/ada/plans/plans.db" })
  const url = "postgres://engine@db/plans"
  expect(read({ LLM_API_KEY: "k", STORAGE_PATH: "data", DATABASE_URL: url }).store).toEqual({
    type: "postgres",
    url,
    hasDbos: false,
  })
  const dbos = { LLM_API_KEY: "k", DURABLE: "dbos" }
  expect(read({ ...dbos, DATABASE_URL: url }).store).toMatchObject({ hasDbos: true })
  expect(() => read(dbos)).toThrow("DURABLE is dbos, which needs a PostgreSQL: set DATABASE_URL.")
  expect(read({ LLM_API_KEY: "k", KEEP_DAYS: "0.5" }).keepMs).toBe(12 * 60 * 60 * 1_000)
  expect(() => read({ LLM_API_KEY: "k", KEEP_DAYS: "0" })).toThrow(/^KEEP_DAYS is "0"/)
  expect(read({ LLM_API_KEY: "k", PLAN_CACHE: "false" }).arePlansKept).toBe(false)
})

describe("the model", () => {
  const model = (env: Readonly<Record<string, string>>) => read(env).model

  test("may have any name, and Claude's go to Claude", () => {
    expect(model({ LLM_MODEL: "o1-mini", LLM_API_KEY: "k" })).toMatchObject({
      type: "openai",
      name: "o1-mini",
    })
    expect(model({ LLM_MODEL: "claude-sonnet-5-5", LLM_API_KEY: "k" })).toMatchObject({ type: "claude" })
    expect(model({ LLM_MODEL: "anything-v9", LLM_PROVIDER: "Claude", LLM_API_KEY: "k" }).type).toBe("claude")
  })

  test("of a service of one's own needs no key, and is shown none that is for another", () => {
    const own = { LLM_API_BASE_URL: "http://127.0.0.1:11434/v1", LLM_MODEL: "claude-like" }
    expect(model({ ...own, OPENAI_API_KEY: "secret" })).toEqual({
      type: "openai",
      name: "claude-like",
      apiKey: "",
      baseURL: own.LLM_API_BASE_URL,
    })
    expect(model({ ...own, LLM_API_KEY: "mine" }).apiKey).toBe("mine")
  })

  test("is Claude's when there is only a key of Claude", () => {
    expect(model({ ANTHROPIC_API_KEY: "a" })).toMatchObject({ type: "claude", apiKey: "a" })
    expect(model({ ANTHROPIC_API_KEY: "a", OPENAI_API_KEY: "o" })).toMatchObject({
      type: "openai",
      apiKey: "o",
    })
  })
})

test("embeddings are asked for by name, with the model's key where the service is the same", () => {
  const embeddings = (env: Readonly<Record<string, string>>) => read({ LLM_API_KEY: "k", ...env }).embeddings
  const wanted = { EMBEDDINGS_MODEL: "text-embedding-3-small" }
  expect(embeddings(wanted)).toEqual({ model: wanted.EMBEDDINGS_MODEL, apiKey: "k", baseURL: undefined })
  expect(embeddings({ ...wanted, EMBEDDINGS_API_BASE_URL: "http://127.0.0.1:1/v1" })?.apiKey).toBe("")
  const claude = { ...wanted, LLM_PROVIDER: "claude" }
  expect(() => embeddings(claude)).toThrow(/^No key for embeddings: set EMBEDDINGS_API_KEY/)
  expect(embeddings({ ...claude, OPENAI_API_KEY: "o" })?.apiKey).toBe("o")
  expect(() => embeddings({ EMBEDDINGS_API_KEY: "e" })).toThrow(/^EMBEDDINGS_MODEL is missing/)
})

test("everything that is wrong is said at once, with what would be right", () => {
  const wrong = {
    PORT: "80000",
    LLM_PROVIDER: "other",
    LLM_API_BASE_URL: "localhost",
    DATABASE_URL: "mysql://x",
    WEBHOOKS_ALLOW_INTERNAL: "yes",
    LOG_LEVEL: "loud",
  }
  expect(() => read(wrong)).toThrow(
    expect.objectContaining({
      code: "settings_invalid",
      message: [
        'PORT is "80000": it must be a whole number from 0 to 65535.',
        "LLM_API_BASE_URL must be a whole address that begins with http:// or https://.",
        'LLM_PROVIDER is "other": it must be one of openai, claude.',
        "DATABASE_URL must be a whole address that begins with postgres:// or postgresql://.",
        'WEBHOOKS_ALLOW_INTERNAL is "yes": it must be one of true, false.',
        'LOG_LEVEL is "loud": it must be one of trace, debug, info, warn, error, fatal, silent.',
      ].join("\n"),
    }),
  )
  expect(() => read({})).toThrow(/^No key for the model: set LLM_API_KEY or OPENAI_API_KEY/)
})

describe("a file .env", () => {
  let folder = ""
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "plan-engine-env-"))
    writeFileSync(join(folder, ".env"), '# a note\nPORT=9000\nLLM_API_KEY="from the file"\n')
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test("says what the environment does not", () => {
    expect(withEnvFile({ PORT: "1" }, folder)).toEqual({ PORT: "1", LLM_API_KEY: "from the file" })
    expect(withEnvFile({ PORT: "1" }, join(folder, "nowhere"))).toEqual({ PORT: "1" })
  })
})

test("every variable is documented once", () => {
  const names = VARIABLES.map(([name]) => name)
  expect(new Set(names).size).toBe(names.length)
})
