import { Collapsible } from "@base-ui/react/collapsible"
import type { ReactElement } from "react"
import { formatDuration, t } from "../i18n/index.ts"
import { Markdown } from "../markdown/markdown.tsx"
import { Icon } from "../ui/icons.tsx"

/** What the model thought, folded away. While it thinks, the heading says so. */
export const Thinking = ({
  text,
  isHidden,
  isGrowing,
  durationMs,
}: {
  readonly text: string
  readonly isHidden: boolean
  readonly isGrowing: boolean
  readonly durationMs: number | undefined
}): ReactElement => {
  const finished = durationMs === undefined ? t.chat.thoughtSome : t.chat.thought(formatDuration(durationMs))
  return (
    <Collapsible.Root className="thinking">
      <Collapsible.Trigger className="thinking-trigger">
        <Icon name="thought" size={16} />
        <span className={isGrowing ? "shimmer" : undefined}>
          {isGrowing ? `${t.chat.thinking}…` : finished}
        </span>
        <Icon name="down" size={14} />
      </Collapsible.Trigger>
      <Collapsible.Panel className="thinking-panel">
        {isHidden ? <p>{t.chat.thoughtHidden}</p> : <Markdown text={text} isGrowing={isGrowing} />}
      </Collapsible.Panel>
    </Collapsible.Root>
  )
}
