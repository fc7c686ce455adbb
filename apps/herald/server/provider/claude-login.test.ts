import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { claudeLogin } from "./claude-login.ts"

let home = ""
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "herald-home-"))
  mkdirSync(join(home, ".claude"))
})
afterEach(() => rmSync(home, { recursive: true }))

const now = () => 1_000_000
const file = () => join(home, ".claude", ".credentials.json")
const login = (accessToken: string, expiresAt?: number) =>
  JSON.stringify({ claudeAiOauth: { accessToken, refreshToken: "r", expiresAt } })
const find = (more: Partial<Parameters<typeof claudeLogin>[0]> = {}) =>
  claudeLogin({ env: { HOME: home }, now, platform: "linux", ...more })

test("S19: reads the file and leaves it as it is", async () => {
  const text = login("sk-ant-oat-1", 10_000_000)
  writeFileSync(file(), text)
  const before = statSync(file()).mtimeMs
  expect(await find()).toEqual({ type: "login", token: "sk-ant-oat-1", expiresAt: 10_000_000, where: file() })
  expect([readFileSync(file(), "utf8"), statSync(file()).mtimeMs]).toEqual([text, before])
})

test("looks where CLAUDE_CREDENTIALS_FILE says", async () => {
  const other = join(home, "other.json")
  writeFileSync(other, login("sk-ant-oat-2"))
  expect(await find({ env: { HOME: home, CLAUDE_CREDENTIALS_FILE: other } })).toMatchObject({
    token: "sk-ant-oat-2",
  })
})

test("R19: says that a login has expired, or is about to", async () => {
  writeFileSync(file(), login("sk-ant-oat-1", 1_000_000 + 30_000))
  expect(await find()).toEqual({ type: "expired", where: file() })
})

test("tells no login from one that cannot be read", async () => {
  expect(await find()).toEqual({ type: "none" })
  writeFileSync(file(), "{}")
  expect(await find()).toEqual({ type: "none" })
  writeFileSync(file(), "{ broken")
  expect(await find()).toEqual({ type: "unreadable", where: file(), reason: "it is not JSON" })
})

test("asks the keychain first on macOS, then the file", async () => {
  const asked: string[] = []
  const env = { HOME: home, USER: "ada" }
  const keychain = (stored: Record<string, string>) => async (account: string) => {
    asked.push(account)
    return stored[account]
  }
  const mac = (stored: Record<string, string>) =>
    find({ env, platform: "darwin", keychain: keychain(stored) })
  expect(await mac({ "Claude Code": login("sk-ant-oat-k") })).toMatchObject({ token: "sk-ant-oat-k" })
  expect(asked).toEqual(["ada", "Claude Code"])
  expect(await mac({ ada: login("old", 1) })).toEqual({ type: "expired", where: "the macOS keychain" })
  writeFileSync(file(), login("sk-ant-oat-f"))
  expect(await mac({ ada: login("old", 1) })).toMatchObject({ token: "sk-ant-oat-f" })
})
