// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the configuration file has this syntax.

import { once } from "node:events"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { type FakeModelServer, fakeModelServer, hang, say } from "@orra/testing"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { type HeraldProcess, type HeraldProcessOptions, heraldProcess, heraldRun } from "./herald-process.ts"

const KEY = "sk-ant-test-key-1234"
const OWNER = { authorization: "Bearer owner-key-0123456789" }
let folder = ""
let model: FakeModelServer
const running: HeraldProcess[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "herald-main-"))
  model = await fakeModelServer([], { apiKey: KEY })
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((herald) => herald.stop("SIGKILL")))
  await model.close()
  rmSync(folder, { recursive: true, force: true })
})

const write = (toml: string) => writeFileSync(join(folder, "assistant.toml"), toml)
const run = (...args: string[]) => heraldRun({ cwd: folder, args })
async function start(options: Partial<HeraldProcessOptions> = {}): Promise<HeraldProcess> {
  const env = {
    ANTHROPIC_API_KEY: KEY,
    ANTHROPIC_BASE_URL: model.url,
    HERALD_OWNER_KEY: "owner-key-0123456789",
    ...options.env,
  }
  const herald = await heraldProcess({ cwd: folder, args: ["--port", "0"], ...options, env })
  running.push(herald)
  return herald
}
const withKey = () => write('[gateway]\napi_key = "${HERALD_OWNER_KEY}"\n')
const chat = (herald: HeraldProcess, message: string) =>
  fetch(`${herald.url}/api/chat`, {
    method: "POST",
    headers: { ...OWNER, "content-type": "application/json" },
    body: JSON.stringify({ message }),
  })

describe("without starting", () => {
  test("says its version and its flags", async () => {
    const version = await run("--version")
    expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
    const help = await run("--help")
    expect(help.code).toBe(0)
    for (const flag of ["--config", "--check", "--port", "--host", "--data-dir"])
      expect(help.stdout).toContain(flag)
  })

  test.each([
    [["--prot", "80"], "(Did you mean --port?)"],
    [["--port", "eighty"], "A port is a whole number from 0 to 65535."],
    [["--config", "none.toml"], "herald: There is no file"],
  ])("%j ends with 1 and a line that says why", async (args, message) => {
    const { code, stderr } = await run(...args)
    expect(code).toBe(1)
    expect(stderr).toContain(message)
    expect(stderr).not.toContain("    at ")
  })

  test("all mistakes of the file at once, with lines", async () => {
    write("[gateway]\nprot = 1\nhost = 2\n[discrod]\n")
    const { code, stderr } = await run()
    expect([code, stderr]).toEqual([
      1,
      [
        'assistant.toml:2: unknown key "prot" in [gateway]: did you mean "port"?',
        "assistant.toml:3: gateway.host must be text in quotes, not 2",
        'assistant.toml:4: unknown section [discrod]: did you mean "discord"?',
        "",
      ].join("\n"),
    ])
    expect(readdirSync(folder)).toEqual(["assistant.toml"])
  })

  test("F25: --check shows what is in effect and changes nothing", async () => {
    write(
      '[provider]\napi_key = "sk-very-secret"\n[gateway]\nport = 9000\n[federation]\nshared_secret = "shared-secret"\n',
    )
    const { code, stdout } = await run("--check", "--host", "::1")
    expect(code).toBe(0)
    expect(stdout).toContain(`configuration  ${join(folder, "assistant.toml")}`)
    expect(stdout).toContain(`data           ${join(folder, "data")}`)
    expect(stdout).toContain("claude-opus-4-6 (claude), key: the configuration file")
    expect(stdout).toMatch(/^tools on {7}current_time, todo, ask_user, remember, .*\bweb_fetch, read_url/m)
    expect(stdout).toContain("port = 9000  # line 4")
    expect(stdout).toContain('host = "::1"  # --host')
    expect(stdout).not.toMatch(/very-secret|shared-secret/)
    expect(readdirSync(folder)).toEqual(["assistant.toml"])
  })
})

describe("a start", () => {
  test("answers over HTTP, and after a restart still knows", async () => {
    withKey()
    const herald = await start()
    expect(herald.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(herald.stdout()).toContain(join(folder, "assistant.toml"))
    expect(await (await fetch(`${herald.url}/health`)).json()).toMatchObject({ status: "ok" })
    expect(model.requests, "nothing is asked of a model unasked").toHaveLength(0)
    const first = await chat(herald, "What is two and two?")
    expect(first.status).toBe(200)
    const { message, namespace } = (await first.json()) as { message: string; namespace: string }
    expect(message).toBe("You said: What is two and two?")
    expect(await herald.stop()).toBe(0)
    expect(existsSync(join(folder, "data", "herald.pid"))).toBe(false)

    const again = await start()
    const list = await fetch(`${again.url}/api/sessions`, { headers: OWNER })
    expect(JSON.stringify(await list.json())).toContain("What is two and two?")
    const session = await fetch(`${again.url}/api/sessions/${encodeURIComponent(namespace)}`, {
      headers: OWNER,
    })
    expect(await session.text()).toContain("You said: What is two and two?")
  })

  test("F2: gives the model its name, the date and its tools", async () => {
    write('[gateway]\napi_key = "owner-key-0123456789"\n[[agents]]\nname = "Ada"\nmodel = "claude-ada"\n')
    const herald = await start()
    await chat(herald, "Who are you?")
    const request = await model.request(1)
    expect(JSON.stringify(request.body["system"])).toMatch(/You are Ada, .*Today is .*20\d\d/s)
    expect(request.body["model"]).toBe("claude-ada")
    expect(JSON.stringify(request.body["tools"])).toMatch(/current_time.*web_fetch/s)
  })

  test("shows no secret, on the terminal or in the log", async () => {
    withKey()
    const herald = await start({ env: { ANTHROPIC_API_KEY: "sk-ant-wrong-key-987" } })
    expect((await chat(herald, "Hello")).ok).toBe(false)
    await herald.stop()
    const log = readFileSync(join(folder, "data", "logs", "herald.log"), "utf8")
    expect(log).toContain("provider_auth")
    expect(log + herald.stdout() + herald.stderr()).not.toMatch(/sk-ant-wrong|owner-key/)
    expect(log).not.toContain(new URL(herald.loginUrl).hash.slice(1))
  })

  test("without a key says so and waits for one", async () => {
    withKey()
    const herald = await start({ env: { ANTHROPIC_API_KEY: "" } })
    expect(herald.stdout()).toContain("none yet: open the page and enter an API key")
    expect(await (await chat(herald, "Hello")).json()).toMatchObject({ code: "provider_not_configured" })
    const put = await fetch(`${herald.url}/api/settings/provider`, {
      method: "PUT",
      headers: { ...OWNER, "content-type": "application/json" },
      body: JSON.stringify({ provider_type: "claude", api_key: KEY }),
    })
    expect(await put.json()).toMatchObject({ provider: { configured: true, auth_source: "saved" } })
    expect(await (await chat(herald, "Hello")).json()).toMatchObject({ message: "You said: Hello" })
    await herald.stop("SIGKILL")
    const again = await start({ env: { ANTHROPIC_API_KEY: "" } })
    expect(again.stdout()).toContain("key: the web page")
    expect(await (await chat(again, "Hello again")).json()).toMatchObject({
      message: "You said: Hello again",
    })
  })

  test("SIGHUP reads the file again: it is taken whole or not at all, and the log says which", async () => {
    write("[tools]\nexec = false\n")
    const herald = await start()
    const told = (text: string) =>
      vi.waitFor(() => expect(herald.stderr()).toContain(text), { timeout: 30_000 })
    write('[tools]\nexec = true\n[logging]\nlevel = "loud"\n')
    herald.child.kill("SIGHUP")
    await told("assistant.toml:4: logging.level must be one of")
    expect(herald.stderr()).not.toContain("was read again")
    write("[tools]\nexec = true\n[gateway]\nport = 1\n")
    herald.child.kill("SIGHUP")
    await told('"changed":["tools.exec"]')
    expect(await herald.stop("SIGTERM")).toBe(0)
  })

  test("F20, D11: reports what the file asks for and has no effect", async () => {
    write("[gateway]\nenabled = false\n")
    const herald = await start()
    expect(herald.stdout()).toContain("assistant.toml:2: gateway.enabled is configured but always on")
  })
})

describe("what keeps it from starting is one line and exit code 1", () => {
  const fails = async (message: string | RegExp, ...args: string[]) => {
    const { code, stderr, stdout } = await run("--port", "0", ...args)
    expect(stdout).toBe("")
    expect(code).toBe(1)
    const lines = stderr.trim().split("\n")
    expect(lines.at(-1)).toMatch(message)
    expect(stderr).not.toContain("    at ")
  }

  test("a port that is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1")
    await once(other, "listening")
    const { port } = other.address() as { port: number }
    await fails(/^herald: Port \d+ .* taken.*--port/, "--port", String(port))
    other.close()
  })

  test("another Herald on the same data", async () => {
    const herald = await start()
    await fails(`herald: Another Herald (process ${herald.child.pid}) is using ${join(folder, "data")}`)
  })

  test("a data directory that is a file", async () => {
    writeFileSync(join(folder, "data"), "")
    await fails(/^herald: The data directory .* cannot be used/)
  })

  // Root may write everywhere.
  test.skipIf(process.getuid?.() === 0)("a data directory that is read-only", async () => {
    mkdirSync(join(folder, "data"))
    chmodSync(join(folder, "data"), 0o500)
    await fails(/^herald: The data directory .* cannot be used/)
  })

  test("data of a newer version", async () => {
    await (await start()).stop()
    const database = new DatabaseSync(join(folder, "data", "herald.db"))
    database.exec("PRAGMA user_version = 9999")
    database.close()
    await fails(/^herald: .*newer/)
  })

  test("data that is no database", async () => {
    mkdirSync(join(folder, "data"))
    writeFileSync(
      join(folder, "data", "herald.db"),
      "not a database, but long enough to look like a file".repeat(50),
    )
    await fails(/^herald: .*herald\.db/)
  })

  test("listening to the network without a key", async () => {
    await fails(/^herald: .*api_key/, "--host", "0.0.0.0")
  })
})

describe("an end", () => {
  const slow = async () => {
    withKey()
    await model.close()
    model = await fakeModelServer([[say("Once upon a time"), hang()]], { apiKey: KEY })
    const herald = await start()
    const answer = chat(herald, "Tell me a story").catch(() => undefined)
    await model.request(1)
    return { herald, answer }
  }
  const transcript = async (herald: HeraldProcess) => {
    const list = (await (await fetch(`${herald.url}/api/sessions`, { headers: OWNER })).json()) as {
      sessions?: { namespace: string }[]
      items?: { namespace: string }[]
    }
    const namespace = (list.sessions ?? list.items)?.[0]?.namespace ?? ""
    return await (
      await fetch(`${herald.url}/api/sessions/${encodeURIComponent(namespace)}`, { headers: OWNER })
    ).text()
  }

  test("R17: by SIGTERM lets a running answer finish", async () => {
    withKey()
    const { promise: gate, resolve: open } = Promise.withResolvers<void>()
    model.push(async () => {
      await gate
      return "Just in time."
    })
    const herald = await start()
    const answer = chat(herald, "Quickly!")
    await model.request(1)
    herald.child.kill("SIGTERM")
    await herald.said("stopping")
    open()
    expect(await (await answer).json()).toMatchObject({ message: "Just in time." })
    expect(await herald.ended).toBe(0)
  })

  test("by Ctrl-C marks the running answer stopped", async () => {
    const { herald, answer } = await slow()
    expect(await herald.stop("SIGINT")).toBe(0)
    await answer
    const text = await transcript(await start())
    expect(text).toContain("Once upon a time")
    expect(text).toMatch(/"status":"stopped"|"outcome":"stopped"/)
  })

  test("by a second Ctrl-C comes at once", async () => {
    const { herald, answer } = await slow()
    herald.child.kill("SIGINT")
    await herald.said("stopping")
    expect(await herald.stop("SIGINT")).toBe(130)
    await answer
  })

  test("by kill -9 loses nothing that was there, and marks the answer at the next start", async () => {
    const { herald, answer } = await slow()
    await herald.stop("SIGKILL")
    await answer
    const again = await start()
    expect(again.stderr()).toContain("unfinished answers are marked")
    const text = await transcript(again)
    expect(text).toContain("Tell me a story")
    expect(text).toContain("interrupted")
  })
})
