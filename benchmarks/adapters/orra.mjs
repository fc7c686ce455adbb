// Orra as one adapter of the framework comparison (../shared/bench; its README says what an adapter is). Everything an
// application has is on: each message, piece, decision and result is in the log before it is shown or carried out, a
// policy layer allows the tool, a hook looks at every model call and every tool call, and a budget reserves what each
// model call may cost before it is made. `benchmarks/compare.ts` packs
// the packages and names their folder in ORRA_PACKAGES.
import { readdirSync } from "node:fs"
import { join } from "node:path"

const folder = process.env["ORRA_PACKAGES"]
const archives = folder === undefined ? [] : readdirSync(folder)
const packed = (name) => {
  const archive = archives.find((file) => file.replace(/-\d.*$/, "") === name)
  return archive === undefined ? "0.0.0" : `file:${join(folder, archive)}`
}

const NOT_TRIMMED = 100_000_000

export default {
  title: "Orra",
  packages: {
    "@orra/core": packed("orra-core"),
    "@orra/openai": packed("orra-openai"),
    "@orra/provider-http": packed("orra-provider-http"),
  },
  notes:
    "policy, budget, hooks and log on; streams are written to the log as fast as it takes them (deltaIntervalMs 0)",
  entry: ["@orra/core", "@orra/openai"],
  store: "MemoryStore",
  trim: "context.maxTokens",

  async setup(ctx) {
    const { Budgets, MemoryStore, Namespace, PolicyRegistry, Runtime, tool } = await import("@orra/core")
    const weather = tool({
      name: ctx.tool.name,
      description: ctx.tool.description,
      input: ctx.tool.schema,
      risk: "read",
      execute: (input) => ctx.tool.execute(input),
    })
    const home = Namespace.of("tenant", "acme")
    const policies = new PolicyRegistry({ default: "deny" })
    policies.set(home, { allow: [ctx.tool.name], deny: ["risk:exec"] })
    let seen = 0
    const look = {
      name: "look",
      beforeModel: () => void seen++,
      afterModel: () => void seen++,
      beforeTool: () => void seen++,
      afterTool: () => void seen++,
    }
    const store = new MemoryStore()
    // Enough for every turn that is measured: what counts is that each call is held against it.
    const prices = { date: "2026-11-01", models: { "*": { input: 1, output: 4 } } }
    const budgets = new Budgets({ store, prices })
    budgets.set(home, { per: "month", usd: 1e9, tokens: 1e15 })
    const model = (options) => (ctx.fake ? inProcess(ctx, options) : overHttp(ctx, options))
    // Where nobody watches an answer being written it is asked for whole, as every other adapter does.
    const whole = await model({ streaming: false })
    const runtime = (options) =>
      new Runtime({
        store,
        policies,
        budgets,
        hooks: [look],
        systemPrompt: ctx.system,
        provider: whole,
        ...options,
      })
    const untrimmed = { maxTokens: NOT_TRIMMED }
    const trimmed = { maxTokens: ctx.budget.tokens, reservedForOutput: 0 }
    const plain = runtime({ context: untrimmed })
    const equipped = runtime({ context: untrimmed, tools: [weather] })
    const short = runtime({ context: trimmed })
    const shortEquipped = runtime({ context: trimmed, tools: [weather] })
    // Somebody watches. By default the log is written, and shown, every 30 ms, which saves a disk most of the work; an
    // application that wants each token on the screen at once sets 0: as often as the store takes it.
    const live = runtime({ provider: await model({ streaming: true }), deltaIntervalMs: 0 })

    let made = 0
    const conversation = () => home.child("user", "bob", `conversation-${++made}`)
    /**
     * Deletes a conversation that nobody comes back to, once there are newer ones: a service always has some. Without
     * any V8 would throw away, at each of the full collections that the comparison forces, what it compiled for them.
     */
    const recent = []
    const leave = async (agent, namespace) => {
      recent.push({ agent, namespace })
      if (recent.length <= 16) return
      const oldest = recent.shift()
      await oldest.agent.delete(oldest.namespace)
    }

    return {
      async generate({ model, prompt, tools }) {
        const namespace = conversation()
        const agent = tools ? equipped : plain
        const { text } = await agent.run(namespace, prompt, { model })
        await leave(agent, namespace)
        return text
      },
      async stream({ model, prompt, onToken }) {
        const namespace = conversation()
        let text = ""
        for await (const event of live.stream(namespace, prompt, { model })) {
          if (event.type === "delta") {
            for (const piece of event.pieces) {
              if (piece.type !== "text") continue
              text += piece.text
              onToken(piece.text)
            }
          } else if (event.type === "assistant") {
            // The whole message takes the place of its pieces: the last ones may only be in it.
            const [said] = event.message.parts
            if (said.text.length > text.length) onToken(said.text.slice(text.length))
            text = said.text
          }
        }
        await leave(live, namespace)
        return text
      },
      async open({ id, history, trim }) {
        const namespace = home.child("user", "bob", id)
        const at = Date.now()
        if (history.length > 0) {
          const lease = await store.acquire(namespace, "import", 30_000)
          const entries = history.map(({ role, content }, index) => {
            const parts = [{ type: "text", text: content }]
            if (role === "user") return { type: "user", at, message: { role, parts } }
            return {
              type: "assistant",
              at,
              runId: "import",
              messageId: `import-${index}`,
              message: { role, parts },
              status: "complete",
            }
          })
          await store.append(namespace, entries, { expected: 0, lease })
          await store.release(lease)
        }
        return { namespace, trim }
      },
      async turn({ namespace, trim }, { model, prompt, tools }) {
        const agent = trim ? (tools ? shortEquipped : short) : tools ? equipped : plain
        const { text } = await agent.run(namespace, prompt, { model })
        return text
      },
    }
  },
}

async function overHttp(ctx, options) {
  const { openai } = await import("@orra/openai")
  return openai({ baseURL: ctx.openaiBase, apiKey: ctx.apiKey, retry: { maxAttempts: 1 }, ...options })
}

/** A model in this process. */
function inProcess(ctx, { streaming }) {
  const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 }
  const NO_TEXT = []
  return {
    id: "fake",
    model: "echo",
    async *stream({ model, messages }) {
      let since = 0
      for (let index = messages.length - 1; messages[index].role !== "user"; index--) {
        if (messages[index].role === "tool") since += messages[index].parts.length
      }
      const { text = NO_TEXT, calls = [] } = ctx.fakeMove(model, since)
      if (streaming) for (const token of text) yield { type: "text", text: token }
      const parts = text.length > 0 ? [{ type: "text", text: text.join("") }] : []
      for (const { id, name, args } of calls) parts.push({ type: "tool_call", id, name, arguments: args })
      const finishReason = calls.length > 0 ? "tool_calls" : "stop"
      yield { type: "done", message: { role: "assistant", parts }, finishReason, usage }
    },
  }
}
