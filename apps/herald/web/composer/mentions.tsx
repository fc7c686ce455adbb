import type { RefObject } from "react"
import { type Agent, useAgents } from "../agents/use-agents.ts"
import { t } from "../i18n/index.ts"
import { type Completion, useCompletion } from "./completion.tsx"

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

/** Completes `@` and the beginning of a name in the message field. */
export function useMentions(
  text: string,
  setText: (text: string) => void,
  field: RefObject<HTMLTextAreaElement | null>,
): Completion {
  const { agents } = useAgents()
  const caret = field.current?.selectionEnd ?? text.length
  return useCompletion({
    id: "mentions",
    label: t.agents.picker,
    text,
    field,
    found: fitting(text, caret, agents)?.map(({ name, personality }) => ({ name, note: personality })),
    onChoose: ({ name }) => {
      const rest = text.slice(field.current?.selectionEnd ?? text.length).trimStart()
      setText(`@${name} ${rest}`)
    },
  })
}
