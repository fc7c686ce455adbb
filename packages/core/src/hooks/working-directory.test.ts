import { call, scriptedProvider } from "@orra/testing"
import { expect, test } from "vitest"
import { MemoryStore, Namespace, PolicyRegistry, Runtime, tool, workingDirectory } from "../index.ts"

const sessionOf = (user: string) => Namespace.of("tenant", "acme", user)

/** A tool that waits until both sessions are in it, so that their runs are surely interleaved. */
function meeting(expected: number) {
  const all = Promise.withResolvers<void>()
  let inside = 0
  return async () => {
    if (++inside === expected) all.resolve()
    await all.promise
  }
}

test("each session's calls get the directory of that session, also while others run", async () => {
  const users = ["ann", "bob", "eve"]
  const meet = meeting(users.length)
  const seen: string[] = []
  const exec = tool<{ working_directory?: string }>({
    name: "exec",
    description: "",
    input: { type: "object" },
    risk: "exec",
    execute: async ({ working_directory }, { namespace }) => {
      seen.push(`${namespace.segments.at(-1)} ${working_directory}`)
      await meet()
      return "done"
    },
  })
  const store = new MemoryStore()
  const runtime = new Runtime({
    provider: scriptedProvider([], {
      otherwise: ({ messages }) => (messages.at(-1)?.role === "tool" ? "done" : call("exec")),
    }),
    store,
    tools: [exec],
    hooks: [workingDirectory({ tools: ["exec"] })],
  })
  for (const user of users.slice(0, 2)) {
    const patch = { working_directory: `/home/${user}` }
    await store.append(sessionOf(user), [{ type: "meta", at: 1, patch }], { expected: 0 })
  }
  await Promise.all(users.map((user) => runtime.run(sessionOf(user), "Go")))
  expect(seen.sort()).toEqual(["ann /home/ann", "bob /home/bob", "eve undefined"])
})

test("a directory that was changed or taken away counts from the next call on", async () => {
  const seen: unknown[] = []
  const exec = tool<Record<string, unknown>>({
    name: "exec",
    description: "",
    input: { type: "object" },
    risk: "exec",
    execute: (input) => {
      seen.push(input["working_directory"])
      return "done"
    },
  })
  const answers = [call("exec"), "a", call("exec"), "b", call("exec"), "c"]
  const runtime = new Runtime({
    provider: scriptedProvider(answers),
    tools: [exec],
    hooks: [workingDirectory({ tools: ["exec"] })],
  })
  const ns = sessionOf("ann")
  await runtime.run(ns, "Go")
  await runtime.update(ns, { working_directory: "/two" })
  await runtime.run(ns, "Go")
  await runtime.update(ns, { working_directory: null })
  await runtime.run(ns, "Go")
  expect(seen).toEqual([undefined, "/two", undefined])
})

test("only the tools named get one, and only where the call has none; policy judges what it is", async () => {
  const { beforeTool } = workingDirectory({ tools: ["exec", "run"], argument: "cwd", key: "folder" })
  const context = {
    namespace: sessionOf("ann"),
    runId: "r",
    metadata: { folder: "/home/ann", working_directory: "/else" },
    signal: new AbortController().signal,
  }
  const asked = (name: string, args: Record<string, string | null>) =>
    beforeTool?.({ type: "tool_call", id: "c", name, arguments: args }, context)
  expect(asked("run", { a: "b" })).toEqual({ arguments: { a: "b", cwd: "/home/ann" } })
  expect(asked("run", { cwd: null })).toEqual({ arguments: { cwd: "/home/ann" } })
  expect(asked("run", { cwd: "/tmp" })).toBeUndefined()
  expect(asked("read", {})).toBeUndefined()
  expect(() => workingDirectory({ tools: [] })).toThrow("Name the tools")

  const exec = tool({
    name: "exec",
    description: "",
    input: { type: "object" },
    risk: "exec",
    execute: () => "ran",
  })
  const policies = new PolicyRegistry({
    default: "allow",
    base: { deny: [{ tool: "exec", arguments: { "/working_directory": { prefix: "/etc" } } }] },
  })
  const store = new MemoryStore()
  const ns = sessionOf("bob")
  await store.append(ns, [{ type: "meta", at: 1, patch: { working_directory: "/etc" } }], { expected: 0 })
  const provider = scriptedProvider([call("exec"), "done"])
  const hooks = [workingDirectory({ tools: ["exec"] })]
  await new Runtime({ provider, store, tools: [exec], policies, hooks }).run(ns, "Go")
  expect(await store.read(ns, { types: ["tool_intent"] })).toMatchObject([
    { decision: "deny", arguments: { working_directory: "/etc" } },
  ])
})
