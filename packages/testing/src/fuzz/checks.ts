import { type Entry, type EntryType, isObject, messageText } from "@orra/core"
import { FAMILIES, type Family } from "../wire-families.ts"

const SHOWN: ReadonlySet<EntryType> = new Set<EntryType>([
  "user",
  "assistant",
  "tool_intent",
  "tool_result",
  "approval_request",
  "approval_decision",
  "run_started",
  "run_finished",
  "compaction",
  "delta",
])

/** The numbers on the way from the start of a log to where its next entry goes: one step at a time, nothing cached. */
export function naivePath(written: readonly Entry[]): ReadonlySet<number> {
  const parents = new Map<number, number>()
  let tip = 0
  for (const entry of written) {
    if (entry.type === "rewind") tip = entry.to
    else {
      parents.set(entry.seq, tip)
      tip = entry.seq
    }
  }
  const path = new Set<number>()
  for (let seq = tip; seq > 0; seq = parents.get(seq) ?? 0) path.add(seq)
  return path
}

/** What a transcript shows, by that path. */
export const naiveHistory = (written: readonly Entry[], entries: readonly Entry[]): readonly Entry[] => {
  const path = naivePath(written)
  return entries.filter(({ seq, type }) => path.has(seq) && SHOWN.has(type))
}

/** Messages that wait, by the log alone. */
export function naiveQueue(entries: readonly Entry[]): readonly Entry<"input">[] {
  const waiting = new Map<string, Entry<"input">>()
  for (const entry of entries) {
    if (entry.type === "input") waiting.set(entry.inputId, entry)
    else if (entry.type === "input_cancelled") waiting.delete(entry.inputId)
    else if (entry.type === "user" && entry.inputId !== undefined) waiting.delete(entry.inputId)
  }
  return [...waiting.values()]
}

/** The mark of a person's message, by which it is known again in a request. */
export const mark = (n: number): string => `⟦u${n}⟧`
const marks = (text: string): readonly string[] => text.match(/⟦u\d+⟧/gu) ?? []

/** Why a service would refuse what it is sent, or what in it is not of this session, or undefined. */
export function requestProblem(
  family: Family,
  body: Readonly<Record<string, unknown>>,
  written: readonly Entry[],
): string | undefined {
  return (
    FAMILIES[family].problem(body) ??
    branchProblem(JSON.stringify(body["messages"] ?? body["input"]), written) ??
    pairsProblem(family, body) ??
    signatureProblem(family, body)
  )
}

/** People's messages are those of the current branch, in order, up to the newest, and what is pinned of the others. */
function branchProblem(sent: string, written: readonly Entry[]): string | undefined {
  // What is summed up is what the next request does not have.
  if (sent.includes('{\\"entry\\":')) return undefined
  const path = naivePath(written)
  const users = written.filter((entry) => entry.type === "user" && path.has(entry.seq))
  const asked = marks(sent)
  // What was pinned or let go while the request was made may or may not be in it.
  const pins = [[], ...written.flatMap((entry) => (entry.type === "pin" ? [entry.pins] : []))].slice(-3)
  const isThat = pins.some((list) => {
    const pinned = new Set(list.flatMap(({ seqs }) => seqs))
    return [...users.keys(), users.length].some((from) => {
      const kept = users.filter(({ seq }, index) => index >= from || pinned.has(seq))
      return kept.flatMap((entry) => marks(textOf(entry))).join() === asked.join()
    })
  })
  // A cut can fall before a request to continue, which is the host's and has no mark.
  const said = users.flatMap((entry) => marks(textOf(entry)))
  const some = asked.length > 0 || said.length === 0 || sent.includes("Continue from exactly")
  if (some && isThat) return undefined
  return `The request has the messages ${asked}; those of the branch are ${said}.`
}

const textOf = (entry: Entry): string => (entry.type === "user" ? messageText(entry.message) : "")

/** A result stands with the call it is the result of, not only with one of that id. */
function pairsProblem(family: Family, body: Readonly<Record<string, unknown>>): string | undefined {
  const calls = new Map<string, unknown>()
  for (const [kind, id, content] of PAIRED[family](body)) {
    if (kind === "call") {
      calls.set(String(id), isObject(content) ? content["n"] : undefined)
      continue
    }
    const n = JSON.stringify(content ?? "").match(/⟦r(\d+)⟧/u)?.[1]
    if (n !== undefined && n !== String(calls.get(String(id))))
      return `The result ${n} is given for call ${calls.get(String(id))}.`
  }
  return undefined
}

type Item = Readonly<Record<string, unknown>>
type Paired = readonly (readonly [kind: "call" | "result", id: unknown, content: unknown])[]

/** The calls and results of a request, in their order. */
const PAIRED: Readonly<Record<Family, (body: Item) => Paired>> = {
  anthropic: (body) =>
    blocks(body).flatMap((block): Paired => {
      if (block["type"] === "tool_use") return [["call", block["id"], block["input"]]]
      return block["type"] === "tool_result" ? [["result", block["tool_use_id"], block["content"]]] : []
    }),
  openai: (body) =>
    items(body["messages"]).flatMap((message): Paired => {
      if (message["role"] === "tool") return [["result", message["tool_call_id"], message["content"]]]
      return items(message["tool_calls"]).map(({ id, function: of }) => [
        "call",
        id,
        JSON.parse(String(isObject(of) ? of["arguments"] : "")),
      ])
    }),
  responses: (body) =>
    items(body["input"]).flatMap((item): Paired => {
      if (item["type"] === "function_call")
        return [["call", item["call_id"], JSON.parse(String(item["arguments"]))]]
      return item["type"] === "function_call_output" ? [["result", item["call_id"], item["output"]]] : []
    }),
}

/** What a signature of that model begins with. */
export const signedBy = (family: Family, model: string): string => `${family}|${model}|`

/** The signatures of all thinking in a request. */
export const signaturesOf = (family: Family, body: Item): readonly string[] =>
  (family === "responses" ? items(body["input"]) : blocks(body)).flatMap((block) => {
    const signature = block["signature"] ?? block["data"] ?? block["encrypted_content"]
    return signature === undefined ? [] : [String(signature)]
  })

/** Thinking goes back only to the model that thought it. */
function signatureProblem(family: Family, body: Item): string | undefined {
  const own = signedBy(family, String(body["model"]))
  const foreign = signaturesOf(family, body).find((signature) => !signature.startsWith(own))
  return foreign === undefined ? undefined : `Thinking of ${foreign} is sent to ${own}.`
}

/** The blocks of all messages. */
const blocks = (body: Item): readonly Item[] =>
  items(body["messages"]).flatMap((message) => items(message["content"]))

const items = (value: unknown): readonly Item[] => (Array.isArray(value) ? value.filter(isObject) : [])

/** Tells when two lists of entries are not the same. */
export function compare(
  what: string,
  found: readonly { readonly seq: number }[],
  expected: readonly { readonly seq: number }[],
  problems: string[],
): void {
  const [a, b] = [found, expected].map((list) => list.map(({ seq }) => seq).join())
  if (a !== b) problems.push(`The ${what} is ${a}; the log says ${b}.`)
}

/** An entry with how it ended. */
export function kindOf(entry: Entry): string {
  switch (entry.type) {
    case "assistant":
      return `assistant ${entry.status}`
    case "tool_intent":
      return `tool_intent ${entry.decision}`
    case "tool_result":
      return `tool_result ${entry.result.status}`
    case "run_finished":
      return `run_finished ${entry.error?.code ?? entry.outcome}`
    case "compaction":
      return entry.summary === undefined ? "compaction" : "compaction summary"
    case "input":
      return `input ${entry.mode}`
    default:
      return entry.type
  }
}
