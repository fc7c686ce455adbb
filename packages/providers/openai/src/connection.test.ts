import { userMessage } from "@orra/core"
import OpenAI from "openai"
import { expect, test } from "vitest"
import { openai } from "./openai.ts"

interface Sent {
  readonly url: string
  readonly method: string | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

/** A service that answers everything with a short answer, and what it was sent. */
function service() {
  const sent: Sent[] = []
  const answer = {
    choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "Hi" } }],
  }
  const send: typeof fetch = async (url, init) => {
    const headers = Object.fromEntries(new Headers(init?.headers))
    sent.push({ url: String(url), method: init?.method, headers, body: JSON.parse(String(init?.body)) })
    return Response.json(answer)
  }
  return { sent, fetch: send }
}

const baseURL = "http://service.test:8080/v1"
const settings = { baseURL, adminAPIKey: null, organization: null, project: null, maxRetries: 0 }
const timeout = 2_147_483_647

test.for([
  ["with a key", "sk-test-0123456789"],
  ["without a key", undefined],
] as const)("a request %s is the one the SDK sends", async ([, apiKey]) => {
  const ours = service()
  const theirs = service()
  const provider = openai({ baseURL, apiKey, model: "m", streaming: false, fetch: ours.fetch })
  const request = { messages: [userMessage("Hello, wörld")], tools: [] }
  for (let time = 0; time < 2; time++) for await (const _ of provider.stream(request));
  const sdk = new OpenAI({
    ...settings,
    timeout,
    apiKey: apiKey ?? "none",
    fetch: theirs.fetch,
    ...(apiKey === undefined && { defaultHeaders: { authorization: null } }),
  })
  const messages = [{ role: "user" as const, content: "Hello, wörld" }]
  await sdk.chat.completions.create({ model: "m", messages, stream: false })
  expect(ours.sent).toEqual([theirs.sent[0], theirs.sent[0]])
})
