import { type KeyboardEvent, type RefObject, useEffect, useRef, useState } from "react"
import { useAgents } from "../agents/use-agents.ts"
import { useShared } from "../app/context.ts"
import { t } from "../i18n/index.ts"
import { useModels } from "../settings/use-models.ts"
import { useTheme } from "../theme/theme.ts"
import type { CommandContext, offersFor } from "./chat-commands.ts"
import { type Completion, useCompletion } from "./completion.tsx"

type Given = "me" | "setTheme" | "agents" | "models" | "canChooseModel"

/** Completes and carries out what begins with `/` in the message field. What the commands are is loaded with the first. */
export function useCommands(
  text: string,
  setText: (text: string) => void,
  props: Omit<CommandContext, Given> & { readonly field: RefObject<HTMLTextAreaElement | null> },
): Completion {
  const { me } = useShared()
  const { agents } = useAgents()
  const { list: models, canChoose: canChooseModel } = useModels()
  const [, setTheme] = useTheme()
  const [load, setLoad] = useState<{ readonly offersFor?: typeof offersFor }>()
  /** Enter, pressed before it was known what it is for. */
  const early = useRef<globalThis.KeyboardEvent>(undefined)
  const { field } = props
  const isCommand = text.startsWith("/")
  useEffect(() => {
    // Without them, it is a message like any other.
    if (isCommand) import("./chat-commands.ts").then(setLoad, () => setLoad({}))
  }, [isCommand])
  useEffect(() => {
    if (!load || !early.current) return
    field.current?.dispatchEvent(new window.KeyboardEvent("keydown", early.current))
    early.current = undefined
  }, [load, field])
  const completion = useCompletion({
    id: "commands",
    label: t.composer.commands,
    text,
    field,
    found: isCommand
      ? load?.offersFor?.(text, { ...props, me, agents, models, canChooseModel, setTheme })
      : undefined,
    onChoose: (offer) => {
      setText(offer.text)
      offer.run?.()
    },
  })
  if (!isCommand || load) return completion
  const onKeyDown = (event: KeyboardEvent): boolean => {
    if (event.key !== "Enter" || event.shiftKey) return false
    event.preventDefault()
    early.current = event.nativeEvent
    return true
  }
  return { ...completion, onKeyDown }
}
