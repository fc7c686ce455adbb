import { type Entry, type EntryType, isObject, messageText } from "@orra/core"
import { anthropicProblem, openaiProblem } from "../wire-grammar.ts"
import type { Family } from "./wire-fetch.ts"

const SHOWN: ReadonlySet<EntryType> = new Set<EntryType>([
  "user",
  "assistant",
  "tool_intent",
  "tool_result",
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
    (family === "anthropic" ? anthropicProblem(body) : openaiProblem(body)) ??
    branchProblem(JSON.stringify(body["messages"]), written) ??
    pairsProblem(family, body) ??
    (family === "anthropic" ? signatureProblem(body) : undefined)
  )
}

/** People's messages are those of the current branch, in order, up to the newest. */
function branchProblem(sent: string, written: readonly Entry[]): string | undefined {
  const path = naivePath(written)
  const said = written.flatMap((entry) =>
    entry.type === "user" && path.has(entry.seq) ? marks(messageText(entry.message)) : [],
  )
  const asked = marks(sent)
  const expected = said.slice(said.length - asked.length)
  // A cut can fall before a request to continue, which is the host's and has no mark.
  const some = asked.length > 0 || said.length === 0 || sent.includes("Continue from exactly")
  if (some && asked.join() === expected.join()) return undefined
  return `The request has the messages ${asked}; those of the branch are ${said}.`
}

/** A result stands with the call it is the result of, not only with one of that id. */
function pairsProblem(family: Family, body: Readonly<Record<string, unknown>>): string | undefined {
  const calls = new Map<string, unknown>()
  for (const message of items(body["messages"])) {
    const results = new Map<string, string>()
    if (family === "anthropic") {
      for (const block of items(message["content"])) {
        const input = block["input"]
        if (block["type"] === "tool_use")
          calls.set(String(block["id"]), isObject(input) ? input["n"] : undefined)
        else if (block["type"] === "tool_result")
          results.set(String(block["tool_use_id"]), JSON.stringify(block["content"] ?? ""))
      }
    } else {
      for (const call of items(message["tool_calls"])) {
        const of = isObject(call["function"]) ? call["function"] : {}
        const input: unknown = JSON.parse(String(of["arguments"]))
        calls.set(String(call["id"]), isObject(input) ? input["n"] : undefined)
      }
      if (message["role"] === "tool") results.set(String(message["tool_call_id"]), String(message["content"]))
    }
    for (const [id, text] of results) {
      const n = text.match(/⟦r(\d+)⟧/u)?.[1]
      if (n !== undefined && n !== String(calls.get(id)))
        return `The result ${n} is given for call ${calls.get(id)}.`
    }
  }
  return undefined
}

/** Thinking goes back only to the model that thought it. */
function signatureProblem(body: Readonly<Record<string, unknown>>): string | undefined {
  const own = `anthropic|${String(body["model"])}`
  for (const message of items(body["messages"])) {
    for (const block of items(message["content"])) {
      const signature = block["signature"] ?? block["data"]
      if (signature !== undefined && signature !== own) return `Thinking of ${signature} is sent to ${own}.`
    }
  }
  return undefined
}

const items = (value: unknown): readonly Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter(isObject) : []
