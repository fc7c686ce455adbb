import { InvalidInput, Namespace, tool } from "@orra/core"
import { expect, test } from "vitest"
import { textOf, toolBench, useTool } from "./use-tool.ts"

const echo = tool<{ text: string }>({
  name: "echo",
  description: "Echoes.",
  input: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
  risk: "read",
  execute: ({ text }, { namespace, progress }) => {
    progress("half")
    return {
      content: [
        { type: "text", text: `${namespace.key}: ${text}` },
        { type: "image", mediaType: "image/png", data: "YQ==" },
      ],
    }
  },
})

test("a tool is called with a context that is made up, except for what is given", async () => {
  expect(textOf(await useTool([echo], "echo", { text: "hi" }))).toBe("test: hi\n<image/png>")
  const seen: string[] = []
  const given = { namespace: Namespace.of("ann"), progress: (text: string) => void seen.push(text) }
  expect(textOf(await useTool([echo], "echo", { text: "hi" }, given))).toContain("ann: hi")
  expect(seen).toEqual(["half"])
})

test("its arguments are checked, and a tool that is not there is said", async () => {
  await expect(useTool([echo], "echo")).rejects.toThrow(InvalidInput)
  await expect(useTool([echo], "ekko")).rejects.toThrow("There is no tool ekko among echo.")
})

test("in a runtime it goes through policy, each call in a session of its own", async () => {
  const { call, runtime } = toolBench([echo])
  const [one, two] = await Promise.all([call("echo", { text: "hi" }), call("echo", { text: "ho" })])
  expect([one.status, textOf(one), textOf(two)]).toEqual([
    "ok",
    "test:1: hi\n<image/png>",
    "test:2: ho\n<image/png>",
  ])
  expect(await runtime.store.read(Namespace.of("test", "1"), { types: ["tool_result"] })).toHaveLength(1)
  const asking = toolBench([echo], { policy: { ask: ["*"] }, user: Namespace.of("ann") })
  expect((await asking.call("echo", { text: "hi" })).status).toBe("denied")
})
