// An agent as a server on standard input and output. Its model repeats what it is told.

import { MemoryStore, Namespace, Runtime, tool } from "@orra/core"
import { scriptedProvider } from "@orra/testing"
import { mcpStdio } from "./server.ts"

const add = tool<{ a: number; b: number }>({
  name: "add",
  description: "Adds.",
  input: {
    type: "object",
    properties: { a: { type: "number" }, b: { type: "number" } },
    required: ["a", "b"],
  },
  risk: "read",
  execute: ({ a, b }) => `${a + b}`,
})

const provider = scriptedProvider([], { otherwise: () => "Good day." })
mcpStdio({
  runtime: new Runtime({ provider, store: new MemoryStore(), tools: [add] }),
  name: "greeter",
  agents: [{ name: "greet", description: "Says good day." }],
  tools: "all",
  caller: { namespace: Namespace.of("local") },
})
