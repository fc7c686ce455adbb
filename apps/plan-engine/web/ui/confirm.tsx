import { type ReactElement, useState } from "react"
import { Button } from "./parts.tsx"

/** What cannot be taken back is pressed twice; anything else that is done in between takes the first press back. */
export function Confirm({
  label,
  again,
  isBusy,
  onConfirm,
}: {
  readonly label: string
  /** What the second press does. */
  readonly again: string
  readonly isBusy: boolean
  readonly onConfirm: () => void
}): ReactElement {
  const [isAsked, setAsked] = useState(false)
  return (
    <Button
      look={isAsked ? "danger" : "plain"}
      disabled={isBusy}
      onClick={() => {
        if (isAsked) onConfirm()
        setAsked(!isAsked)
      }}
      onBlur={() => setAsked(false)}
      onKeyDown={({ key }) => key === "Escape" && setAsked(false)}
    >
      {isAsked ? again : label}
    </Button>
  )
}
