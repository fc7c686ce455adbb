import type { ReactElement } from "react"
import { words } from "../i18n/en-artifacts.ts"
import { IconButton } from "../ui/button.tsx"

/** Moves between versions: `‹ 2/3 ›`. Before the first there may be more, in messages that are not loaded. */
export function VersionSwitch({
  index,
  count,
  onChoose,
  onOlder,
}: {
  readonly index: number
  readonly count: number
  readonly onChoose: (index: number) => void
  /** Undefined where all messages are loaded. */
  readonly onOlder: (() => void) | undefined
}): ReactElement {
  const label = words.version(index + 1, count)
  const isFirst = index === 0
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would be a form
    <div className="branches" role="group" aria-label={label}>
      <IconButton
        icon="left"
        size={16}
        label={isFirst && onOlder ? words.older : words.earlier}
        disabled={isFirst && !onOlder}
        onClick={() => (isFirst ? onOlder?.() : onChoose(index - 1))}
      />
      <span aria-hidden="true">
        {index + 1}/{count}
      </span>
      <span className="off-screen" role="status">
        {label}
      </span>
      <IconButton
        icon="right"
        size={16}
        label={words.later}
        disabled={index === count - 1}
        onClick={() => onChoose(index + 1)}
      />
    </div>
  )
}
