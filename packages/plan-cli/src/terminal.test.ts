import { execFile } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { promisify } from "node:util"
import { describe, expect, onTestFinished, test } from "vitest"
import { Bench } from "../../plan-engine/src/engine-fixture.ts"
import { freePort, Home } from "./fixture.ts"
import { box, duration, painter, short, shown, table } from "./text.ts"

async function started() {
  const bench = await new Bench().listen()
  const home = new Home()
  onTestFinished(async () => {
    await bench.close()
    home.remove()
  })
  await home.quick(["projects", "add", "shop", "--server", bench.url])
  bench.key = home.project("shop").cli_auth
  return { bench, home }
}

const ESCAPE = String.fromCharCode(27)

describe("a terminal", () => {
  test("has colours, unless NO_COLOR is set or nobody looks", async () => {
    const { home } = await started()
    expect((await home.quick(["health"], { isTty: true })).stdout).toContain(`${ESCAPE}[32m●`)
    expect((await home.quick(["health"], { isTty: true, env: { NO_COLOR: "1" } })).stdout).not.toContain(
      ESCAPE,
    )
    expect((await home.quick(["health"], { isTty: true, env: { TERM: "dumb" } })).stdout).not.toContain(
      ESCAPE,
    )
    expect((await home.quick(["health"])).stdout).not.toContain(ESCAPE)
  })

  test("is not steered by what a service writes; JSON has all of it", async () => {
    const { bench, home } = await started()
    const evil = `${ESCAPE}]0;owned\u0007\u202egnp`
    await bench.service("echo", () => ({ text: evil }))
    bench.plan = [{ id: "task1", service: "echo", input: { text: "a" } }]
    const { stdout } = await home.quick(["verify", "run", `Do ${evil}`, "--json"])
    const { id } = JSON.parse(stdout)
    await bench.ended(id)
    for (const args of [["inspect", id, "-d"], ["logs", id], ["ps"]])
      expect((await home.quick(args)).stdout).not.toMatch(/[\p{Cf}]|(?!\n)\p{Cc}/u)
    const error = await home.quick(["projects", "use", evil])
    expect(error.stderr).toContain("There is no project")
    expect(error.stderr).not.toMatch(/[\p{Cf}]|(?!\n)\p{Cc}/u)
    expect(JSON.parse((await home.quick(["inspect", id, "--json"])).stdout).results).toEqual([{ text: evil }])
  })

  test("ps -w draws the list anew with each change; elsewhere each change is a line", async () => {
    const { bench, home } = await started()
    await bench.service("echo", () => ({ text: "b" }))
    bench.plan = [{ id: "task1", service: "echo", input: { text: "a" } }]
    const watching = home.start("ps", "-w", "--json")
    await watching.wrote("{}\n")
    const { body } = await bench.create()
    await watching.wrote('"completed"')
    watching.child.kill("SIGINT")
    const { code, stdout } = await watching.ended
    expect(code).toBe(130)
    expect(JSON.parse(stdout.trim().split("\n").at(-1) ?? "")).toMatchObject({
      id: body.id,
      status: "completed",
    })

    const stop = new AbortController()
    const drawn: string[] = []
    const ended = home.quick(["ps", "-w"], {
      isTty: true,
      env: { NO_COLOR: "1" },
      signal: stop.signal,
      onOut: (text) => drawn.push(text),
    })
    await expect.poll(() => drawn.length).toBeGreaterThan(1)
    expect(drawn[0]).toBe(`${ESCAPE}[H${ESCAPE}[2J`)
    stop.abort()
    expect(await ended).toMatchObject({ code: 130, stderr: "" })
  })
})

test("a log that is followed goes on where it was when the connection is lost", async () => {
  const { home } = await started()
  const asked: unknown[] = []
  const entry = (number: number) =>
    `id: ${number}\nevent: entry\ndata: ${JSON.stringify({ number, hash: "", at: 0, type: "task_sent", task: `task${number}` })}\n\n`
  const server = createServer((request, response) => {
    asked.push(request.headers["last-event-id"])
    response.writeHead(200, { "content-type": "text/event-stream" })
    if (asked.length === 1) response.write(entry(0), () => setImmediate(() => response.destroy()))
    else response.end(`${entry(1)}id: end\nevent: end\ndata: {"id":"o_1","status":"completed"}\n\n`)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => void server.close())
  const config = home.config
  const shop = {
    ...home.project("shop"),
    server_addr: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  }
  writeFileSync(home.configPath, JSON.stringify({ ...config, projects: { shop } }))
  const { code, stdout } = await home.quick(["logs", "o_1", "-f"])
  expect(code).toBe(0)
  expect(stdout.match(/task\d/g)).toEqual(["task0", "task1"])
  expect(asked).toEqual([undefined, "0"])
})

test("what answers and is no engine is said to be none", async () => {
  const home = new Home()
  onTestFinished(() => home.remove())
  const server = createServer((_, response) => void response.end("<html>"))
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve))
  onTestFinished(() => void server.close())
  const added = await home.quick(["projects", "add", "shop", "--server", `http://127.0.0.1:${port}`])
  expect(added.stderr).toContain("what answers there is no plan engine")
  const nowhere = await home.quick(["projects", "add", "shop", "--server", "localhost"])
  expect(nowhere.stderr).toContain("this is no web address")
})

describe("completion", () => {
  test("knows commands, options, their values, and projects", async () => {
    const { home } = await started()
    const of = async (...words: readonly string[]) =>
      (await home.quick(["complete", "--", ...words])).stdout.trim().split("\n")
    expect(await of("com")).toEqual(["comp-fail", "completion"])
    expect(await of("comp-fail", "re")).toEqual(["resolve", "retry"])
    expect(await of("ps", "--s")).toEqual(["--status"])
    expect(await of("ps", "-s", "ab")).toEqual(["aborted"])
    expect(await of("ps", "-p", "")).toEqual(["shop"])
    expect(await of("projects", "use", "")).toEqual(["shop"])
    expect(await of("completion", "")).toEqual(["bash", "zsh", "fish"])
  })

  test("bash completes with it", async () => {
    const { home } = await started()
    const { stdout: script } = await home.quick(["completion", "bash"])
    const main = join(import.meta.dirname, "main.ts")
    const shell = [
      `orra() { "${process.execPath}" --conditions=@orra/source "${main}" "$@"; }`,
      script,
      "COMP_WORDS=(orra projects us) COMP_CWORD=2",
      "_orra",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's.
      'printf "%s\\n" "${COMPREPLY[@]}"',
    ].join("\n")
    const { PATH } = process.env
    const { stdout } = await promisify(execFile)("bash", ["-c", shell], { env: { PATH, HOME: home.folder } })
    expect(stdout).toBe("use\n")
  })

  test("there is a script for zsh and fish, and none for others", async () => {
    const { home } = await started()
    expect((await home.quick(["completion", "zsh"])).stdout).toContain("compdef _orra orra")
    expect((await home.quick(["completion", "fish"])).stdout).toContain("complete -c orra")
    expect((await home.quick(["completion", "tcsh"])).code).toBe(1)
  })
})

describe("text", () => {
  test("is cut by characters, aligned without what colours it, and boxed", () => {
    expect(short("a  long\nline 🎉🎉", 11)).toBe("a long lin…")
    expect(short("🎉🎉🎉", 2)).toBe("🎉…")
    const paint = painter(true)
    expect(table(["A", "B"], [[paint("red", "xxx"), "1"]]).split("\n")[0]).toBe("A    B")
    expect(box("T", ["a\nb"])).toBe("┌─ T\n│ a\n│ b\n└─")
    expect(shown({ "a\u0007": ["\u009b1m", 1, null] })).toEqual({ "a\ufffd": ["\ufffd1m", 1, null] })
    expect([5e6, 1.25e9, 61e9, 3_660e9].map(duration)).toEqual(["5ms", "1.3s", "1m1s", "1h1m"])
  })
})

test("the README has every command and option, as the program has them", async () => {
  const { orraProgram } = await import("./program.ts")
  const { commandTable } = await import("./fixture.ts")
  const readme = readFileSync(join(import.meta.dirname, "../README.md"), "utf8")
  expect(readme).toContain(commandTable(orraProgram))
})
