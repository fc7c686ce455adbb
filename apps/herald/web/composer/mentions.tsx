import { type KeyboardEvent, type ReactElement, type RefObject, useState } from "react"
import { type Agent, useAgents } from "../agents/use-agents.ts"
import { t } from "../i18n/index.ts"

/** Whoever looks for one of more types on. */
const MAX_SHOWN = 6
const LIST = "mentions"
const option = (index: number): string => `${LIST}-${index}`

/** The names that fit what was typed after an `@` at the beginning of a message; undefined where none is asked for. */
export function fitting(text: string, caret: number, agents: readonly Agent[]): readonly Agent[] | undefined {
  const typed = /^\s*@([^@\n]{0,64})$/.exec(text.slice(0, caret))?.[1]?.toLowerCase()
  if (typed === undefined || agents.length < 2) return undefined
  const found = agents.filter(({ name }) => name.toLowerCase().startsWith(typed)).slice(0, MAX_SHOWN)
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
): {
  readonly list: ReactElement | undefined
  /** For the field. */
  readonly props: Readonly<Record<string, unknown>>
  /** True when the key was for the list. */
  readonly onKeyDown: (event: KeyboardEvent) => boolean
} {
  const { agents } = useAgents()
  const [at, setAt] = useState(0)
  const [dismissed, setDismissed] = useState<string>()
  const found =
    text === dismissed ? undefined : fitting(text, field.current?.selectionEnd ?? text.length, agents)
  if (!found) return { list: undefined, props: {}, onKeyDown: () => false }
  const current = Math.min(at, found.length - 1)
  const choose = (agent: Agent | undefined): void => {
    if (!agent) return
    const rest = text.slice(field.current?.selectionEnd ?? text.length).trimStart()
    setText(`@${agent.name} ${rest}`)
    setAt(0)
    field.current?.focus()
  }
  const onKeyDown = (event: KeyboardEvent): boolean => {
    const { key, shiftKey } = event
    if (key === "ArrowDown") setAt((current + 1) % found.length)
    else if (key === "ArrowUp") setAt((current || found.length) - 1)
    else if ((key === "Enter" || key === "Tab") && !shiftKey) choose(found[current])
    else if (key === "Escape") setDismissed(text)
    else return false
    event.preventDefault()
    return true
  }
  return {
    list: (
      <div className="mentions" id={LIST} role="listbox" aria-label={t.agents.picker}>
        {found.map((agent, index) => (
          // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the field, which names the current one
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field
          <div
            key={agent.name}
            id={option(index)}
            role="option"
            aria-selected={index === current}
            className="menu-item"
            // Before the field loses the focus.
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => choose(agent)}
          >
            <span className="menu-label">{agent.name}</span>
            <small className="muted">{agent.personality}</small>
          </div>
        ))}
      </div>
    ),
    props: {
      "aria-autocomplete": "list",
      "aria-controls": LIST,
      "aria-activedescendant": option(current),
    },
    onKeyDown,
  }
}
