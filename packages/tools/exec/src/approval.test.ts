import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Approvals, MemoryStore, Namespace, PolicyRegistry, Runtime } from "@orra/core"
import { call, scriptedProvider, textOf } from "@orra/testing"
import { expect, test } from "vitest"
import { NODE, SESSION, temporaryDirectory } from "./fixture.ts"
import { type ExecOptions, execTool } from "./index.ts"

/** A process that serves a session: its runtime, and its exec over the same directory. */
function served(store: MemoryStore, options: ExecOptions, command: string) {
  const exec = execTool(options)
  const policies = new PolicyRegistry()
  policies.set(Namespace.of("acme"), exec.policy)
  const approvals = new Approvals()
  const asking = call("exec", { command, working_directory: "work" })
  const runtime = new Runtime({
    provider: scriptedProvider([], {
      otherwise: ({ messages }) => (messages.at(-1)?.role === "tool" ? "Done." : asking),
    }),
    store,
    tools: [exec.tool],
    hooks: [exec.hooks],
    policies,
    approvals,
  })
  return { runtime, approvals }
}

/** A command that somebody is asked about and approves, and what came of it after `meanwhile` had happened. */
async function approved({
  command,
  prepare = () => {},
  meanwhile = () => {},
  later = {},
}: {
  readonly command: string
  readonly prepare?: (work: string) => void
  readonly meanwhile?: (work: string) => void
  /** Another process continues, with these options. */
  readonly later?: Partial<ExecOptions>
}): Promise<{
  readonly reason: string
  readonly arguments: unknown
  readonly status: string
  readonly text: string
}> {
  const directory = temporaryDirectory()
  const work = join(directory, "work")
  mkdirSync(work)
  prepare(work)
  const options: ExecOptions = { directory, isolation: "off", shell: "ask" }
  const store = new MemoryStore()
  const first = served(store, options, command)
  expect(await first.runtime.run(SESSION, "Go")).toMatchObject({ outcome: "waiting" })
  await first.runtime.close()
  meanwhile(work)
  const { runtime, approvals } = served(store, { ...options, ...later }, command)
  const [pending] = await approvals.list(SESSION)
  if (!pending) throw new Error("Nobody was asked.")
  await approvals.decide(SESSION, pending.approvalId, { decision: "approve", by: "ann" })
  for await (const event of runtime.subscribe(SESSION, { after: 0 })) if (event.type === "run_finished") break
  const [entry] = await store.read(SESSION, { types: ["tool_result"] })
  if (entry?.type !== "tool_result") throw new Error("There is no result.")
  const { reason, arguments: shown } = pending
  return { reason, arguments: shown, status: entry.result.status, text: textOf(entry.result) }
}

const script =
  (text: string, name = "build") =>
  (work: string) => {
    writeFileSync(join(work, name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(work, name), 0o755)
  }

test("what is approved is run, in whatever process, and the person saw all of it", async () => {
  const result = await approved({ command: "./build 'a b'", prepare: script('echo built "$1"') })
  expect(result).toMatchObject({ status: "ok", text: "built a b" })
  expect(result.arguments).toMatchObject({
    command: "./build 'a b'",
    argv: [expect.stringMatching(/^\/.*\/work\/build$/), "a b"],
    working_directory: expect.stringMatching(/^\/.*\/work$/),
  })
  expect(result.reason).toBe(
    'acme: ask "exec: the program lies in the working directory, where it can be changed (not isolated: isolation is off)"',
  )
})

test("a shell command line that is approved is run by a shell", async () => {
  const result = await approved({ command: "echo one | tr a-z A-Z; echo $((1+1))" })
  expect(result).toMatchObject({ status: "ok", text: "ONE\n2" })
  expect(result.reason).toContain("it runs in a shell")
})

test.each([
  [
    "the program has been changed",
    { command: "./build", prepare: script("echo good"), meanwhile: script("echo evil") },
  ],
  [
    "another program has been put in its place",
    {
      command: "./build",
      prepare: script("echo good"),
      meanwhile: (work: string) => {
        script("echo evil", "other")(work)
        renameSync(join(work, "other"), join(work, "build"))
      },
    },
  ],
  [
    "a script that an interpreter is told to run has been changed",
    {
      command: `${NODE} build.js`,
      prepare: (work: string) => writeFileSync(join(work, "build.js"), "console.log('good')"),
      meanwhile: (work: string) => writeFileSync(join(work, "build.js"), "console.log('evil')"),
    },
  ],
  ["a script has come into being", { command: "sh build", meanwhile: script("echo evil") }],
  [
    "the link to the program leads elsewhere",
    {
      command: "./link",
      prepare: (work: string) => symlinkSync("/bin/true", join(work, "link")),
      meanwhile: (work: string) => {
        rmSync(join(work, "link"))
        symlinkSync("/bin/sh", join(work, "link"))
      },
    },
  ],
  [
    "the directory is another one",
    {
      command: "./build",
      prepare: script("echo good"),
      meanwhile: (work: string) => {
        renameSync(work, `${work}-old`)
        mkdirSync(work)
        script("echo good")(work)
      },
    },
  ],
  [
    "the directory is a link to elsewhere",
    {
      command: "ls",
      meanwhile: (work: string) => {
        renameSync(work, `${work}-old`)
        symlinkSync(`${work}-old`, work)
      },
    },
  ],
  [
    "an argument leads out of the directory now",
    {
      command: "cat notes",
      prepare: (work: string) => writeFileSync(join(work, "notes"), "mine"),
      meanwhile: (work: string) => {
        rmSync(join(work, "notes"))
        symlinkSync("/etc/hostname", join(work, "notes"))
      },
    },
  ],
  [
    "the environment is another one",
    { command: "env", later: { env: { NODE_OPTIONS: "--require ./x.js" } } },
  ],
  ["the program is found elsewhere", { command: "ls", later: { path: ["/bin"] } }],
  ["a rule denies it now", { command: "ls", later: { deny: ["ls"] } }],
])("an approval is for nothing else: %s", async (_, change) => {
  const { status, text } = await approved(change)
  expect(status).toBe("denied")
  expect(text).toMatch(/its arguments are not those recorded|deny "exec: deny `ls/)
})
