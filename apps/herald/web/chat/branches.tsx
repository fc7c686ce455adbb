import type { Fork } from "@orra/core"
import type { ReactElement } from "react"
import { t } from "../i18n/index.ts"
import { IconButton } from "../ui/button.tsx"

/** Moves between the ways a conversation took. */
export const Branches = ({
  fork: { branches, current },
  isDisabled,
  onSwitch,
}: {
  readonly fork: Fork
  readonly isDisabled: boolean
  readonly onSwitch: (tip: number) => void
}): ReactElement => {
  const go = (index: number): void => {
    const branch = branches[index]
    if (branch) onSwitch(branch.tip)
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would be a form
    <span className="branches" role="group" aria-label={t.chat.branch(current + 1, branches.length)}>
      <IconButton
        icon="left"
        size={16}
        label={t.chat.previousBranch}
        disabled={isDisabled || current === 0}
        onClick={() => go(current - 1)}
      />
      <span aria-hidden="true">
        {current + 1}/{branches.length}
      </span>
      <IconButton
        icon="right"
        size={16}
        label={t.chat.nextBranch}
        disabled={isDisabled || current === branches.length - 1}
        onClick={() => go(current + 1)}
      />
    </span>
  )
}
