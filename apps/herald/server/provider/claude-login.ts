import { execFile } from "node:child_process"
import { readFile } from "node:fs/promises"
import { homedir } from "node:os"
import { join } from "node:path"
import { isObject, parseJson } from "@orra/core"
import type { Environment } from "../config/expand.ts"

/** The login of the Claude CLI, as found. It is only ever read: renewing it is the CLI's own business. */
export type ClaudeLogin =
  | {
      readonly type: "login"
      readonly token: string
      readonly expiresAt: number | undefined
      readonly where: string
    }
  | { readonly type: "expired"; readonly where: string }
  | { readonly type: "unreadable"; readonly where: string; readonly reason: string }
  | { readonly type: "none" }

export interface ClaudeLoginOptions {
  readonly env: Environment
  readonly now?: () => number
  readonly platform?: NodeJS.Platform
  /** Prints a secret of the macOS keychain; replaced in tests. */
  readonly keychain?: (account: string) => Promise<string | undefined>
}

/** A token this close to its end would expire during the answer. */
const MARGIN_MS = 60_000

/** Looks for the CLI's login: the keychain on macOS, then its credentials file. */
export async function claudeLogin(options: ClaudeLoginOptions): Promise<ClaudeLogin> {
  const { env, now = Date.now, platform = process.platform, keychain = readKeychain } = options
  const file =
    env["CLAUDE_CREDENTIALS_FILE"] || join(env["HOME"] || homedir(), ".claude", ".credentials.json")
  let found: ClaudeLogin = { type: "none" }
  if (platform === "darwin" && !env["CLAUDE_CREDENTIALS_FILE"]) {
    for (const account of [env["USER"], "Claude Code"]) {
      const stored = account ? await keychain(account) : undefined
      if (stored !== undefined) found = parseLogin(stored, "the macOS keychain", now())
      if (found.type === "login") return found
    }
  }
  const stored = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => error)
  if (typeof stored === "string") {
    const login = parseLogin(stored, file, now())
    return found.type === "expired" && login.type !== "login" ? found : login
  }
  if (stored.code !== "ENOENT" && found.type === "none") {
    return { type: "unreadable", where: file, reason: stored.code ?? stored.message }
  }
  return found
}

function parseLogin(text: string, where: string, now: number): ClaudeLogin {
  let value: unknown
  try {
    value = parseJson(text)
  } catch {
    return { type: "unreadable", where, reason: "it is not JSON" }
  }
  const oauth = isObject(value) ? value["claudeAiOauth"] : undefined
  const token = isObject(oauth) ? oauth["accessToken"] : undefined
  if (!isObject(oauth) || typeof token !== "string" || token === "") return { type: "none" }
  const expiresAt = typeof oauth["expiresAt"] === "number" ? oauth["expiresAt"] : undefined
  if (expiresAt !== undefined && expiresAt <= now + MARGIN_MS) return { type: "expired", where }
  return { type: "login", token, expiresAt, where }
}

function readKeychain(account: string): Promise<string | undefined> {
  const args = ["find-generic-password", "-s", "Claude Code-credentials", "-a", account, "-w"]
  return new Promise((resolve) => {
    execFile("security", args, { timeout: 5_000 }, (error, stdout) =>
      resolve(error ? undefined : stdout.trim()),
    )
  })
}
