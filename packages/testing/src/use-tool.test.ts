import { InvalidInput, Namespace, tool } from "@orra/core"
import { expect, test } from "vitest"
import { textOf, useTool } from "./use-tool.ts"

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
