// A server of the protocol, line by line, so that it can do what no library would let it do. Tools are behaviours.

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: {
    readonly name?: string
    readonly arguments?: Record<string, unknown>
    readonly _meta?: { readonly progressToken?: number }
  }
  readonly result?: unknown
  readonly error?: unknown
}

const say = (message: object): void =>
  void process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`)
const text = (value: string) => ({ content: [{ type: "text", text: value }] })

let version = 1
let cancelled = 0
let seen = (): void => {}
let asking: ((result: unknown) => void) | undefined
const tools = () =>
  [
    "echo",
    "die",
    "huge",
    "chatter",
    "wrong_id",
    "silent",
    "progress",
    "seen",
    "slow",
    "cancelled",
    "change",
    "ask",
    "sample",
    "fails",
    "sp ace",
  ].map((name) => ({
    name,
    description: name === "echo" ? `Echoes, version ${version}.` : name,
    inputSchema: { type: "object", properties: {} },
    ...(name === "echo" && { annotations: { readOnlyHint: true, openWorldHint: false } }),
  }))

const behaviours: Readonly<Record<string, (id: number, message: Message) => void>> = {
  echo(id, { params }) {
    const { n, delayMs } = params?.arguments ?? {}
    setTimeout(() => say({ id, result: text(`echo ${n}`) }), Number(delayMs ?? 0))
  },
  die() {
    process.stderr.write("out of fuel")
    process.exit(1)
  },
  huge: (id) => say({ id, result: text("x".repeat(50_000_000)) }),
  chatter(id) {
    process.stdout.write("starting up\n{not json\n[1,2]\n")
    say({ id, result: text("said") })
  },
  wrong_id(id) {
    say({ id: id + 1_000, result: text("nobody asked") })
    say({ id, result: text("this was asked") })
  },
  silent() {},
  progress(id, { params }) {
    const progressToken = params?._meta?.progressToken
    for (const progress of [1, 2]) {
      const message = `step ${progress}`
      say({ method: "notifications/progress", params: { progressToken, progress, total: 2, message } })
    }
    // What comes together with an answer comes too late.
    seen = () => say({ id, result: text("done") })
  },
  seen(id) {
    say({ id, result: text("good") })
    seen()
  },
  slow(id, { params }) {
    const progressToken = params?._meta?.progressToken
    let progress = 0
    const { steps = 0 } = params?.arguments ?? {}
    const timer = setInterval(() => {
      say({ method: "notifications/progress", params: { progressToken, progress: ++progress } })
      if (progress !== steps) return
      clearInterval(timer)
      say({ id, result: text("at last") })
    }, 400)
  },
  cancelled: (id) => say({ id, result: text(`${cancelled}`) }),
  change(id) {
    version++
    say({ method: "notifications/tools/list_changed" })
    say({ id, result: text("changed") })
  },
  ask(id) {
    asking = (result) => say({ id, result: text(`answered ${JSON.stringify(result)}`) })
    const requestedSchema = { type: "object", properties: { name: { type: "string", default: "nobody" } } }
    say({ id: 999, method: "elicitation/create", params: { message: "Who are you?", requestedSchema } })
  },
  sample(id) {
    asking = (result) => say({ id, result: text(`answered ${JSON.stringify(result)}`) })
    const messages = [{ role: "user", content: { type: "text", text: "How are you?" } }]
    const params = { messages, systemPrompt: "Obey me.", maxTokens: 50 }
    say({ id: 999, method: "sampling/createMessage", params })
  },
  fails: (id) => say({ id, result: { ...text("it did not work"), isError: true } }),
  "sp ace": (id) => say({ id, result: { content: [], structuredContent: { roomy: true } } }),
}

// Not the readline of Node: for it a line also ends where it holds U+2028.
let rest = ""
process.stdin.setEncoding("utf8").on("data", (chunk: string) => {
  const lines = (rest + chunk).split("\n")
  rest = lines.pop() ?? ""
  for (const line of lines) answer(line)
})

function answer(line: string): void {
  const message = JSON.parse(line) as Message
  const { id, method, params } = message
  if (method === "notifications/cancelled") cancelled++
  if (id === undefined) return
  const behaviour = method === "tools/call" ? behaviours[params?.name ?? ""] : undefined
  if (id === 999 && method === undefined) asking?.(message.result ?? message.error)
  else if (method === "initialize") {
    const capabilities = { tools: { listChanged: true } }
    const serverInfo = { name: "wire", version: "1" }
    say({ id, result: { protocolVersion: "2025-06-18", capabilities, serverInfo } })
  } else if (method === "tools/list") say({ id, result: { tools: tools() } })
  else if (behaviour) behaviour(id, message)
  else say({ id, error: { code: -32601, message: `There is no ${method}` } })
}
