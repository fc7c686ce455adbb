import type { ReactElement } from "react"
import type { Call } from "../chat/items.ts"
import { words } from "../i18n/en-voice.ts"
import "../styles/picture.css"

/** A picture that a tool has made: shown in the chat, large in a tab of its own. */
export default function Picture({
  namespace,
  call,
}: {
  readonly namespace: string
  readonly call: Call | undefined
}): ReactElement | null {
  const name = nameIn(call?.result?.part.structured)
  if (call?.result?.part.status !== "ok" || name === undefined) return null
  const prompt = call.intent?.arguments["prompt"]
  const alt = typeof prompt === "string" ? prompt : words.picture
  const src = `/api/sessions/${encodeURIComponent(namespace)}/images/${encodeURIComponent(name)}`
  return (
    <figure className="picture">
      <a href={src} target="_blank" rel="noopener" aria-label={words.open}>
        <img src={src} alt={alt} loading="lazy" />
      </a>
      <figcaption>
        <span className="picture-prompt" dir="auto">
          {alt}
        </span>
        <a href={src} download={name}>
          {words.download}
        </a>
      </figcaption>
    </figure>
  )
}

function nameIn(structured: unknown): string | undefined {
  if (typeof structured !== "object" || structured === null || !("name" in structured)) return undefined
  return typeof structured.name === "string" ? structured.name : undefined
}
