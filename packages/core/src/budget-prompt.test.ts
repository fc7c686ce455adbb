import fc from "fast-check"
import { expect, test } from "vitest"
import { PromptCounter } from "./budget-prompt.ts"
import { charEstimator, type Tokenizer, toolCounter } from "./context.ts"
import { type Message, userMessage } from "./message.ts"

function counter() {
  let counted = 0
  const tokenizer: Tokenizer = {
    count(text) {
      counted++
      return charEstimator.count(text)
    },
  }
  return { prompt: new PromptCounter(tokenizer, toolCounter(tokenizer)), counted: () => counted }
}

const result = (text: string): Message => ({
  role: "tool",
  parts: [{ type: "tool_result", callId: "1", name: "n", status: "ok", content: [{ type: "text", text }] }],
})

test("what was counted for one request is not counted for the next, though its last message is made anew", () => {
  const { prompt, counted } = counter()
  const messages: Message[] = []
  for (let step = 0; step < 200; step++) {
    messages.push(userMessage(`question ${step}`))
    prompt.count({ messages: [...messages, result("so far")], tools: [] })
    messages.push(result("in the end"))
    prompt.count({ messages, tools: [] })
  }
  // The question and both results, and once that there is no system text.
  expect(counted()).toBe(200 * 3 + 1)
})

test("property: of whatever is sent one after the other, each is counted as by a counter of its own", () => {
  const list = fc.array(
    fc.string({ maxLength: 12 }).map((text) => userMessage(text)),
    { maxLength: 6 },
  )
  const change = fc.record({ keep: fc.nat(12), add: list })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      const { prompt } = counter()
      let messages: readonly Message[] = []
      for (const { keep, add } of changes) {
        // A session goes on, or goes back and goes on from there.
        messages = [...messages.slice(0, keep), ...add]
        const request = { messages, tools: [], system: "You help." }
        expect(prompt.count(request)).toBe(counter().prompt.count(request))
      }
    }),
  )
})
