import { type ReactElement, useState } from "react"
import { PlaceLink } from "../app/place-link.tsx"
import { keep, recall } from "../app/storage.ts"
import { words } from "../i18n/en-first-steps.ts"
import { useSessions } from "../sessions/use-sessions.ts"
import { useValues } from "../settings/use-values.ts"
import { IconButton } from "../ui/button.tsx"
import { Icon } from "../ui/icons.tsx"
import "../styles/first-steps.css"

interface Step {
  readonly label: string
  readonly isDone: boolean
  /** The part of the settings where it is done. */
  readonly part?: string
}

/** What the owner of a new Herald does first. It is gone when all is done, or when it is not wanted. */
export default function FirstSteps(): ReactElement | null {
  const [isWanted, setWanted] = useState(recall("first-steps") === undefined)
  const { data: values, value } = useValues()
  const { data: chats } = useSessions("")
  // Nothing is said of what is not known yet.
  if (!isWanted || !values || !chats) return null
  const steps: readonly Step[] = [
    { label: words.model, isDone: true, part: "model" },
    { label: words.ask, isDone: chats.pages.some(({ sessions }) => sessions.length > 0) },
    {
      label: words.tools,
      isDone: values.values.some(({ name, origin }) => name.startsWith("tools.") && origin !== "default"),
      part: "tools",
    },
    { label: words.discord, isDone: value("discord.token")?.value === true, part: "discord" },
  ]
  if (steps.every(({ isDone }) => isDone)) return null
  return (
    <section className="first-steps" aria-labelledby="first-steps">
      <header>
        <h3 id="first-steps">{words.title}</h3>
        <IconButton
          icon="close"
          size={16}
          label={words.dismiss}
          onClick={() => {
            keep("first-steps", "off")
            setWanted(false)
          }}
        />
      </header>
      <ol>
        {steps.map(({ label, isDone, part }) => (
          <li key={label} className={isDone ? "done" : undefined}>
            <Icon name={isDone ? "check" : "right"} size={16} />
            {part === undefined || isDone ? (
              label
            ) : (
              <PlaceLink to={{ type: "screen", screen: "settings", part }}>{label}</PlaceLink>
            )}
            {isDone && <span className="off-screen"> ({words.done})</span>}
          </li>
        ))}
      </ol>
    </section>
  )
}
