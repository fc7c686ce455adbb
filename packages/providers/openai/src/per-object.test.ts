import { type ToolDefinition, userMessage } from "@orra/core"
import { expect, test } from "vitest"
import { openai } from "./openai.ts"

const answers = {
  chat: { choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "Hi" } }] },
  responses: {
    object: "response",
    status: "completed",
    output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: "Hi" }] }],
  },
}

/** A tool that counts how often its description is read. */
function counted(text: string): { readonly definition: ToolDefinition; reads(): number } {
  let reads = 0
  const definition = {
    name: "look",
    get description() {
      reads++
      return text
    },
    inputSchema: { type: "object", properties: { "lone \ud800": { type: "string" } } },
  }
  return { definition, reads: () => reads }
}

test.each(["chat", "responses"] as const)(
  "a tool is converted once, however often it is sent, and another of its name is another: %s",
  async (api) => {
    const bodies: string[] = []
    const send: typeof fetch = async (_, init) => {
      bodies.push(String(init?.body))
      return Response.json(answers[api])
    }
    const provider = openai({ baseURL: "http://service.test/v1", api, streaming: false, fetch: send })
    const first = counted("Looks.")
    const second = counted("Looks closer.")
    for (const { definition } of [first, first, second]) {
      const request = { messages: [userMessage("Hello")], tools: [definition] }
      for await (const _ of provider.stream(request));
    }
    expect([first.reads(), second.reads()]).toEqual([1, 1])
    expect(bodies[1]).toBe(bodies[0])
    expect(bodies[0]).toContain('"Looks."')
    expect(bodies[2]).toContain('"Looks closer."')
    expect(bodies[0]).not.toContain("ud800")
  },
)
