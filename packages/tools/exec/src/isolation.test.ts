import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { basename, join } from "node:path"
import { textOf } from "@orra/testing"
import { expect, onTestFinished, test } from "vitest"
import { SYSTEM_PATH } from "./environment.ts"
import { bench, longTime, processesWith, SESSION, script, temporaryDirectory } from "./fixture.ts"
import { findConfinement } from "./isolation.ts"
import { isExecutable } from "./prepare.ts"

/** Also where somebody has put it for these tests. */
const own = (process.env["PATH"] ?? "").split(":").find((path) => isExecutable(join(path, "bwrap")))
const PATH = [...SYSTEM_PATH, ...(own?.startsWith("/") ? [own] : [])]
const { bubblewrap } = findConfinement("auto", PATH)

/** A program in the place of bubblewrap: it writes down what it is told, and runs what stands after the "--". */
function fakeBubblewrap(works = true): { readonly path: string; told(): readonly string[] } {
  const folder = temporaryDirectory()
  const file = join(folder, "bwrap")
  writeFileSync(
    file,
    `#!/bin/sh\nprintf '%s\\n' "$@" > ${folder}/told\nuntil [ "$1" = -- ]; do shift; done; shift\n${works ? 'exec "$@"' : "exit 1"}\n`,
  )
  chmodSync(file, 0o755)
  return { path: folder, told: () => readFileSync(join(folder, "told"), "utf8").split("\n") }
}

test("a command is told to bubblewrap with walls around it: this is all it gets", async () => {
  const { path, told } = fakeBubblewrap()
  const { call, exec, directory } = bench({
    isolation: "auto",
    path: [path, ...SYSTEM_PATH],
    allow: ["echo"],
  })
  expect(textOf(await call({ command: "echo --share-net -- 'a b'" }))).toBe("--share-net -- a b")
  const words = told()
  const walls = words.slice(0, words.indexOf("--"))
  for (const wall of ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop"])
    expect(walls).toContain(wall)
  expect(walls).not.toContain("--share-net")
  const binds = walls.flatMap((word, index) =>
    /^--(dev-)?bind/.test(word) ? [walls.slice(index, index + 3)] : [],
  )
  expect(binds).toEqual([["--bind", directory, directory]])
  const readable = walls
    .flatMap((word, index) => (word.startsWith("--ro-bind") ? [walls[index + 1]] : []))
    .filter((place) => place !== path && !SYSTEM_PATH.includes(place ?? ""))
  expect(
    readable.filter(
      (place) => !/^\/(usr|s?bin|lib\w*|nix\/store|run\/current-system|etc\/[\w.-]+)$/.test(place ?? ""),
    ),
  ).toEqual([])
  expect(readable).not.toContain("/etc/shadow")
  expect(exec.remarks[0]).toMatch(/^isolated by bubblewrap, without a network/)
  expect(exec.tool.definition.description).toContain("It has no network.")
})

test("where there is no isolation that is said to the person, the policy and at start; required, nothing runs", async () => {
  const failing = fakeBubblewrap(false)
  const nowhere = temporaryDirectory()
  for (const [path, why] of [
    [[nowhere, "/bin"], "bubblewrap (bwrap) is not on this system"],
    [[failing.path, "/bin"], "bubblewrap is not allowed to isolate on this system"],
  ] as const) {
    const open = bench({ isolation: "auto", path, allow: ["echo"] })
    expect(open.exec.remarks[0]).toContain(`not isolated: ${why}`)
    expect(open.exec.tool.definition.description).not.toContain("no network")
    const place = { namespace: SESSION, metadata: {} }
    const prepared = await open.exec.prepare({ command: "echo a" }, place)
    expect(
      open.policies.explain(SESSION, { tool: "exec", risk: "exec", arguments: prepared }).rule,
    ).toContain(`(not isolated: ${why})`)
    expect(textOf(await open.call({ command: "echo a" }))).toBe("a")
    const required = bench({ isolation: "required", path, allow: ["echo"] })
    expect(required.exec.remarks[0]).toBe(`nothing runs: isolation is required, and ${why}`)
    const result = await required.call({ command: "echo a" })
    expect(result.status).toBe("denied")
    expect(textOf(result)).toContain(`Commands must be isolated here, and ${why}.`)
  }
})

test("arguments may lead out of the directory where there is nothing to be found", async () => {
  const { path } = fakeBubblewrap()
  const place = { namespace: SESSION, metadata: {} }
  const { exec, policies } = bench({ isolation: "auto", path: [path, ...SYSTEM_PATH], allow: ["cat"] })
  const prepared = await exec.prepare({ command: "cat /etc/hosts" }, place)
  expect(policies.explain(SESSION, { tool: "exec", risk: "exec", arguments: prepared }).decision).toBe(
    "allow",
  )
})

const isolated = { isolation: "required", path: PATH } as const

test.runIf(bubblewrap)(
  "an isolated command sees the system, its directory, itself, and nothing else",
  async () => {
    const secrets = temporaryDirectory()
    writeFileSync(join(secrets, "secret"), "canary")
    const { run, directory } = script(
      `pwd; cat ${secrets}/secret; ls -A /tmp "$HOME"; touch /usr/x /etc/x /x; touch /tmp/private made && ls
     ls -d /root /home /var /sys /run 2>/dev/null; ls /proc | grep -c '^[0-9]'; id -u; cat /etc/shadow; env | grep -c canary`,
      isolated,
    )
    const text = textOf(await run())
    expect(text).not.toContain("canary")
    expect(text.split("\n")[0]).toBe(directory)
    for (const place of ["/usr/x", "/etc/x", "/x"]) expect(existsSync(place)).toBe(false)
    expect(existsSync("/tmp/private")).toBe(false)
    expect(existsSync(join(directory, "made"))).toBe(true)
    const lines = text.split("\n")
    expect(lines).toEqual(expect.arrayContaining([basename(directory), "home"]))
    expect(lines).not.toContain(basename(secrets))
    expect(text).toContain("touch: cannot touch '/x': Read-only file system")
    expect(text).not.toMatch(/^\/(root|home|var|sys|run)$/m)
  },
)

test.runIf(bubblewrap)("it has no network, unless it may", async () => {
  const server = createServer((_request, response) => void response.end("reached"))
  onTestFinished(() => void server.close())
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  const { port } = server.address() as AddressInfo
  const text = `exec 3<>/dev/tcp/127.0.0.1/${port} && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3`
  const allow = [{ program: "bash", args: ["-c", text] }]
  const command = `bash -c '${text.replaceAll("'", "'\\''")}'`
  expect(textOf(await bench({ ...isolated, allow }).call({ command }))).not.toContain("reached")
  expect(textOf(await bench({ ...isolated, network: true, allow }).call({ command }))).toContain("reached")
})

test.runIf(bubblewrap)("everything in it ends with it", async () => {
  const time = longTime()
  const { run } = script(
    `env -i /usr/bin/setsid /bin/sleep ${time} & trap '' TERM; echo begun; sleep ${time}`,
    isolated,
  )
  expect(textOf(await run({ timeout_secs: 1 }))).toMatch(/\[command timed out after 1 seconds\]$/s)
  expect(processesWith(time)).toEqual([])
  const daemon = script(`(env -i /usr/bin/setsid /bin/sleep ${time} >/dev/null 2>&1 &); echo done`, isolated)
  expect(textOf(await daemon.run())).toBe("done")
  expect(processesWith(time)).toEqual([])
})

test.runIf(bubblewrap)("further files can be made readable, and stay that", async () => {
  const data = temporaryDirectory()
  writeFileSync(join(data, "list"), "one")
  const { run } = script(`cat ${data}/list; echo two > ${data}/list || echo no`, {
    ...isolated,
    readable: [data],
  })
  expect(textOf(await run())).toMatch(/^one\s*no\n/)
  expect(readFileSync(join(data, "list"), "utf8")).toBe("one")
})
