import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Runtime } from "@orra/core"
import { call, scriptedProvider, textOf } from "@orra/testing"
import { expect, test } from "vitest"
import { bench, longTime, NODE, processesWith, quoted, SESSION, script, until } from "./fixture.ts"

const onLinux = process.platform === "linux"

test("what it wrote comes first, then its errors and its exit code; that is no error of the tool", async () => {
  const { run } = script("echo out; echo err >&2; exit 3")
  const result = await run()
  expect(result).toMatchObject({ status: "ok", structured: { exit_code: 3, signal: null, ended_by: null } })
  expect(textOf(result)).toBe("out\n[stderr]\nerr\n[exit code: 3]")
  expect(textOf(await script(":").run())).toBe("(no output)")
  const killed = await script("kill -9 $$").run()
  expect(textOf(killed)).toBe("[ended by SIGKILL]")
  expect(killed).toMatchObject({ structured: { exit_code: null, signal: "SIGKILL" } })
})

test("R18: it is ended when its time is up, with everything it has started, whatever that ignores", async () => {
  const time = longTime()
  const { run } = script(`trap '' TERM
    (trap '' TERM HUP; sleep ${time}; sleep ${time}) &
    setsid sh -c "trap '' TERM HUP; setsid sleep ${time} & sleep ${time}" &
    echo begun
    while :; do sleep ${time}; done`)
  const result = await run({ timeout_secs: 1 })
  expect(processesWith(time)).toEqual([])
  expect(result.status).toBe("error")
  expect(textOf(result)).toMatch(/^(begun\n)?\[command timed out after 1 seconds\]$/)
  expect(result).toMatchObject({ structured: { ended_by: "timeout" } })
})

test("who minds SIGTERM has the time to tidy up", async () => {
  const text = "trap 'sleep 0.3; echo > tidied; exit' TERM; echo > ready; while :; do sleep 0.05; done"
  const { run, directory } = script(text, { graceMs: 20_000 })
  const stop = new AbortController()
  const running = run({}, stop.signal)
  await until(() => existsSync(join(directory, "ready")))
  stop.abort()
  await running
  await until(() => existsSync(join(directory, "tidied")))
})

test("it is ended when the run is stopped, and nobody has to wait for that", async () => {
  const time = longTime()
  const stop = new AbortController()
  const { run } = script(`trap '' TERM; setsid sleep ${time} & sleep ${time}`)
  const running = run({}, stop.signal)
  await until(() => processesWith(time).length === 2)
  stop.abort()
  expect(await running).toMatchObject({ status: "unknown" })
  await until(() => processesWith(time).length === 0)
})

test("a run that was stopped before starts nothing", async () => {
  const { run, directory } = script("echo > here")
  expect(await run({}, AbortSignal.abort())).toMatchObject({
    status: expect.stringMatching(/denied|cancelled/),
  })
  expect(() => readFileSync(join(directory, "here"))).toThrow()
})

test("what it leaves behind is ended, and said", async () => {
  const time = longTime()
  const { run } = script(`sleep ${time} & (setsid sleep ${time} > /dev/null 2>&1 &) ; echo done`)
  const result = await run()
  expect(processesWith(time)).toEqual([])
  expect(textOf(result)).toBe("done\n[it left 2 processes behind, which were ended]")
  expect(result).toMatchObject({ structured: { exit_code: 0, left_behind: 2 } })
})

test("a daemon that has left its group, its session and its parents is found by its mark", async () => {
  const time = longTime()
  // It is there, and in nobody's group, session or care, before the program ends.
  const { run } = script(`setsid sh -c 'setsid sleep ${time} < /dev/null > /dev/null 2>&1 & echo $! > pid'
    until test "$(cat /proc/$(cat pid)/cmdline | tr '\\0' ' ' | cut -d' ' -f1)" = sleep; do :; done
    cut -d' ' -f4,5,6 /proc/$(cat pid)/stat; cat pid`)
  const result = await run()
  const [facts, pid] = textOf(result).split("\n")
  expect(facts?.split(" ").slice(1)).toEqual([pid, pid])
  expect(result).toMatchObject({ structured: { left_behind: 1 } })
  expect(processesWith(time)).toEqual([])
})

test.runIf(onLinux)("zombies are nobody", async () => {
  // It ends when both are zombies, whom nobody buries, but for one that the shell has buried before it became Node.
  const waiting = `const { existsSync, readFileSync } = require("node:fs")
    const isDead = (pid) =>
      !existsSync(\`/proc/\${pid}\`) || /^State:\\tZ/m.test(readFileSync(\`/proc/\${pid}/status\`, "utf8"))
    while (!process.argv.slice(1).every(isDead)) continue`
  const text = `(exit 1) & one=$!; (exit 2) & exec ${NODE} -e ${quoted(waiting)} $one $!`
  const result = await script(text).run()
  expect(result).toMatchObject({ structured: { exit_code: 0, left_behind: 0 } })
})

test("one that closes its output and goes on is waited for", async () => {
  const { run, directory } = script("exec >&- 2>&-; sleep 0.3; echo late > file; exit 5")
  expect(await run()).toMatchObject({ structured: { exit_code: 5, ended_by: null } })
  expect(readFileSync(join(directory, "file"), "utf8")).toBe("late\n")
})

test("endless output ends with the command that writes it", async () => {
  const result = await script("yes", { maxOutputBytes: 3_000_000 }).run()
  expect(result.status).toBe("error")
  expect(textOf(result)).toMatch(
    /^(y\n)+\n\n\[… output cut: .* left out here …\]\n\n[y\n]+\n\[command ended: it wrote more/,
  )
  expect(result).toMatchObject({ structured: { ended_by: "output", stdout: { cut: true } } })
})

test("50 MB are counted, and the beginning and the end of them are shown", async () => {
  const { run } = script("echo first; yes | head -c 50000000; echo; echo last")
  const result = await run()
  const text = textOf(result)
  expect(text.startsWith("first\ny\n")).toBe(true)
  expect(text.endsWith("y\n\nlast")).toBe(true)
  expect([...text].length).toBeLessThan(32_200)
  expect(result).toMatchObject({
    structured: { exit_code: 0, stdout: { bytes: 50_000_012, cut: true, binary: false } },
  })
})

test("output is shown while it runs", async () => {
  const text = "printf '\\033[31mone\\033[0m\\n'; until test -e seen; do sleep 0.05; done; echo two"
  const { exec, directory, policies } = script(text)
  const provider = scriptedProvider([call("exec", { command: `sh -c ${quoted(text)}` }), "Done."])
  const options = { provider, tools: [exec.tool], hooks: [exec.hooks], policies }
  const shown: string[] = []
  for await (const event of new Runtime(options).stream(SESSION, "Go")) {
    if (event.type !== "progress") continue
    shown.push(event.text)
    writeFileSync(join(directory, "seen"), "")
  }
  expect(shown.join("")).toBe("one\ntwo\n")
  expect(shown.length).toBeGreaterThan(1)
})

test("there is no input", async () => {
  const { call } = bench({ allow: ["cat"] })
  expect(textOf(await call({ command: "cat" }))).toBe("(no output)")
  expect(textOf(await script("read line || echo none; tty").run())).toContain("none\nnot a tty")
})

test.runIf(onLinux)(
  "it has a session of its own, no file of this process, and no way to more rights",
  async () => {
    const { run } = script(
      "for fd in $(ls /proc/$$/fd); do readlink /proc/$$/fd/$fd; done; " +
        "grep NoNewPrivs /proc/self/status; cut -d' ' -f6 /proc/$$/stat; echo $$",
    )
    const lines = textOf(await run()).split("\n")
    const [own, session, rights] = [lines.pop(), lines.pop(), lines.pop()]
    expect(session).toBe(own)
    expect(rights).toMatch(/NoNewPrivs:\s1/)
    expect(lines.length).toBeGreaterThan(2)
    // The pipes of its output, and nothing else.
    expect(lines.filter((line) => line !== "/dev/null" && !/^(pipe|socket):/.test(line))).toEqual([])
    expect(lines.filter((line) => line !== "/dev/null").length).toBeLessThanOrEqual(3)
  },
)

test.runIf(onLinux)("one that takes too much memory is ended", async () => {
  const grow = "const all = []; setInterval(() => all.push(Buffer.alloc(8e6, 1)), 5)"
  const { call } = bench({ allow: [{ program: NODE, args: ["-e", grow] }], maxMemoryBytes: 200_000_000 })
  const result = await call({ command: `${NODE} -e '${grow}'` })
  expect(result).toMatchObject({ status: "error", structured: { ended_by: "memory" } })
})

test.runIf(onLinux)("one that has too many processes is ended", async () => {
  const time = longTime()
  const { run } = script(`for i in ${"i ".repeat(40)}; do sleep ${time} & done; wait`, { maxProcesses: 20 })
  expect(await run()).toMatchObject({ status: "error", structured: { ended_by: "processes" } })
  expect(processesWith(time)).toEqual([])
})

test("a file cannot grow beyond its limit", async () => {
  const { run, directory } = script("head -c 3000000 /dev/zero > big; echo $?", { maxFileBytes: 1_000_000 })
  await run()
  expect(readFileSync(join(directory, "big")).length).toBe(1_000_000)
})

test("many run at the same time, each with its own output", async () => {
  const { call } = bench({ allow: ["echo"] })
  const other = bench({ allow: ["echo"] })
  const results = await Promise.all([call({ command: "echo one" }), other.call({ command: "echo two" })])
  expect(results.map(textOf)).toEqual(["one", "two"])
})

test("a program that cannot be executed says so", async () => {
  const { call, directory } = bench({ allow: [{ program: "/bin/sh", args: ["x"] }], default: "allow" })
  writeFileSync(join(directory, "x"), "")
  expect(textOf(await call({ command: "nosuchprogram" }))).toContain('There is no program "nosuchprogram"')
})

test("arguments that are longer than the system takes are refused in words", async () => {
  const { call } = bench({ allow: ["echo"], env: { LONG: "x".repeat(3_000_000) } })
  expect(textOf(await call({ command: "echo" }))).toContain("its arguments are too long")
})
