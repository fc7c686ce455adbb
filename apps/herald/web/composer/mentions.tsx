import { keepPreviousData, useQuery } from "@tanstack/react-query"
import type { RefObject } from "react"
import { flushSync } from "react-dom"
import { type Agent, useAgents } from "../agents/use-agents.ts"
import { api } from "../api/api.ts"
import { t } from "../i18n/index.ts"
import { type Completion, useCompletion } from "./completion.tsx"

interface MentionPlace {
  readonly field: RefObject<HTMLTextAreaElement | null>
  /** Of the chat, also of one that has not begun. */
  readonly namespace: string
}

/** The names that fit what was typed after an `@` at the beginning of a message; undefined where none is asked for. */
export function fitting(text: string, caret: number, agents: readonly Agent[]): readonly Agent[] | undefined {
  const typed = /^\s*@([^@\n]{0,64})$/.exec(text.slice(0, caret))?.[1]?.toLowerCase()
  if (typed === undefined || agents.length < 2) return undefined
  const found = agents.filter(({ name }) => name.toLowerCase().startsWith(typed))
  // A name that is written out needs no help.
  return found.length === 0 || found.every(({ name }) => typed.startsWith(name.toLowerCase()))
    ? undefined
    : found
}

/** What was typed of a name after an `@` that a word begins with. */
export const asked = (text: string, caret: number): string | undefined =>
  /(?:^|\s)@([^\s@`]{0,100})$/.exec(text.slice(0, caret))?.[1]

/** Completes `@` and the beginning of a name in the message field: of an agent, a document, or a file of the chat's folder. */
export function useMentions(
  text: string,
  setText: (text: string) => void,
  { field, namespace }: MentionPlace,
): Completion {
  const { agents } = useAgents()
  const caret = field.current?.selectionEnd ?? text.length
  const named = fitting(text, caret, agents) ?? []
  const typed = asked(text, caret)
  const { data } = useQuery({
    queryKey: ["mentions", namespace, typed],
    queryFn: ({ signal }) => api.mentions(namespace, typed ?? "", signal),
    enabled: typed !== undefined,
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  })
  const rest = text.slice(caret).trimStart()
  const insert = (what: string, from: number): void => {
    const before = `${text.slice(0, from)}${what} `
    flushSync(() => setText(before + rest))
    // Behind it, and not behind all that is written.
    field.current?.setSelectionRange(before.length, before.length)
  }
  const wanted = typed?.toLowerCase() ?? ""
  const offers = [
    ...named.map(({ name, personality }) => ({
      name,
      note: personality,
      run: () => insert(`@${name}`, 0),
    })),
    // What came for fewer letters may not fit these.
    ...(typed === undefined ? [] : (data?.found ?? []))
      .filter(({ name, title = "" }) => `${name}\n${title}`.toLowerCase().includes(wanted))
      .map(({ type, name, title }) => ({
        name: title ?? name,
        note: t.composer.mentioned[type],
        run: () => insert(t.composer.mention[type](name), caret - wanted.length - 1),
      })),
  ]
  return useCompletion({
    id: "mentions",
    label: t.composer.mentions,
    text,
    field,
    found: offers.length > 0 ? offers : undefined,
    onChoose: ({ run }) => run(),
  })
}
