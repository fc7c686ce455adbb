import { type ReactElement, useState } from "react"
import { formatDuration, t } from "../i18n/index.ts"
import { Markdown } from "../markdown/markdown.tsx"
import { Icon } from "../ui/icons.tsx"
import { inPlace } from "./hold-in-place.ts"

/** What the model thought, folded away. While it thinks, the heading says so. */
export function Thinking({
  text,
  isHidden,
  isGrowing,
  durationMs,
}: {
  readonly text: string
  readonly isHidden: boolean
  readonly isGrowing: boolean
  readonly durationMs: number | undefined
}): ReactElement {
  const [isOpen, setOpen] = useState(false)
  const finished = durationMs === undefined ? t.chat.thoughtSome : t.chat.thought(formatDuration(durationMs))
  return (
    <div className="thinking">
      <button
        type="button"
        className="thinking-trigger"
        aria-expanded={isOpen}
        onClick={inPlace(() => setOpen(!isOpen))}
      >
        <Icon name="thought" size={16} />
        <span className={isGrowing ? "shimmer" : undefined}>
          {isGrowing ? `${t.chat.thinking}…` : finished}
        </span>
        <Icon name="down" size={14} />
      </button>
      {isOpen && (
        <div className="thinking-panel">
          {isHidden ? <p>{t.chat.thoughtHidden}</p> : <Markdown text={text} isGrowing={isGrowing} />}
        </div>
      )}
    </div>
  )
}
