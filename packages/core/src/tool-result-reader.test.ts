import { call, type ScriptedAnswer, scriptedProvider } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { MemoryStore, messageText, Namespace, Runtime, tool, toolResultReader } from "./index.ts"

const ns = Namespace.of("tenant", "acme", "chat")
const text = Array.from({ length: 3_000 }, (_, index) => `${index} 😀 `).join("")
const whole = [...text]

const big = tool({
  name: "big",
  description: "",
  input: { type: "object" },
  risk: "read",
  execute: () => text,
})

/** A session whose tool has answered with more than the model is shown. */
async function read(): Promise<{
  readonly runtime: Runtime
  readonly provider: ReturnType<typeof scriptedProvider>
  /** What the model was shown of the result. */
  readonly shown: string
  readonly result: number
  /** The answer to a call of the reader. */
  ask(args: Record<string, number>, namespace?: Namespace): Promise<string>
}> {
  const store = new MemoryStore()
  let next: ScriptedAnswer | undefined = call("big")
  const provider = scriptedProvider([], {
    otherwise: () => {
      const answer = next ?? "ok"
      next = undefined
      return answer
    },
  })
  const runtime = new Runtime({
    provider,
    store,
    tools: [big, toolResultReader(store)],
    context: { maxTokens: 6_000, reservedForOutput: 0 },
  })
  await runtime.run(ns, "Go")
  const [entry] = await store.read(ns, { types: ["tool_result"] })
  const message = provider.requests[1]?.messages.at(-1)
  return {
    runtime,
    provider,
    shown: message ? messageText(message) : "",
    result: entry?.seq ?? 0,
    async ask(args, namespace = ns) {
      next = call("read_tool_result", args)
      await runtime.run(namespace, "More")
      const answer = provider.requests.at(-1)?.messages.at(-1)
      return answer ? messageText(answer) : ""
    },
  }
}

describe("read_tool_result", () => {
  test("gives, page by page, all that was left out, as the note in the shortened text says", async () => {
    const { shown, result, ask } = await read()
    const [head = "", number, missing, from, tail = ""] = shown.split(
      /\n\n\[… result (\d+): (\d+) characters left out here, from (\d+) on …\]\n\n/,
    )
    expect([...head, ...tail].length).toBeLessThan(whole.length / 2)
    expect(Number(number)).toBe(result)
    let found = ""
    for (let offset = Number(from); [...found].length < Number(missing); ) {
      const limit = Math.min(1_500, Number(missing) - [...found].length)
      const [page = "", next] = (await ask({ result, offset, limit })).split(
        /\n\n\[… .* read on from (\d+) …\]$/,
      )
      expect([...page]).toHaveLength(limit)
      found += page
      offset = Number(next)
    }
    expect(head + found + tail).toBe(text)
  })

  test("says where the end is, and gives nothing past it", async () => {
    const { result, ask } = await read()
    const length = whole.length
    expect(await ask({ result, offset: length - 3 })).toBe(
      `${whole.slice(-3).join("")}\n\n[… result ${result}: characters ${length - 3} to ${length} of ${length} …]`,
    )
    expect(await ask({ result, offset: length + 9 })).toBe(
      `\n\n[… result ${result}: characters ${length} to ${length} of ${length} …]`,
    )
  })

  test("knows nothing of other sessions, of other entries, and of branches that were left", async () => {
    const { runtime, result, ask } = await read()
    for (const other of [
      ns.child("x"),
      Namespace.of("tenant", "acme"),
      Namespace.of("tenant", "eve", "chat"),
    ]) {
      expect(await ask({ result }, other)).toBe("No such tool result.")
    }
    expect(await ask({ result: 1 })).toBe("No such tool result.")
    expect(await ask({ result: 9_999 })).toBe("No such tool result.")
    expect(await ask({ result, limit: 1 })).toContain("characters 0 to 1 of")
    const { cursor } = await runtime.edit(ns, 1, "Other")
    for await (const event of runtime.subscribe(ns, { after: cursor }))
      if (event.type === "run_finished") break
    expect(await ask({ result })).toBe("No such tool result.")
  })

  test("takes no page that is too large or no number", async () => {
    const { result, ask } = await read()
    for (const args of [
      { result, limit: 1e9 },
      { result, limit: 0 },
      { result, offset: -1 },
      { result: 1.5 },
    ]) {
      expect(await ask(args)).not.toContain("😀")
    }
  })
})
