import { type ReactElement, useId, useState } from "react"
import { words } from "../i18n/en-approvals.ts"
import { SendOrCancel } from "../ui/form-foot.tsx"

/** The rule that an approval leaves behind, as it will be kept: it is seen before it is agreed to. */
export function KeepRule({
  tool,
  where,
  isOff,
  onKeep,
  onCancel,
}: {
  readonly tool: string
  readonly where: keyof typeof words.keepIn
  readonly isOff: boolean
  readonly onKeep: (calls: "arguments" | "tool") => void
  readonly onCancel: () => void
}): ReactElement {
  const name = useId()
  const [calls, setCalls] = useState<"arguments" | "tool">("arguments")
  return (
    <form
      className="keep-rule"
      onSubmit={(event) => {
        event.preventDefault()
        onKeep(calls)
      }}
    >
      <fieldset>
        <legend>{words.keepTitle}</legend>
        {(["arguments", "tool"] as const).map((option) => (
          <label key={option}>
            <input
              type="radio"
              name={name}
              checked={calls === option}
              // biome-ignore lint/a11y/noAutofocus: the person has just asked for this
              autoFocus={option === "arguments"}
              onChange={() => setCalls(option)}
            />
            {option === "arguments" ? words.exactly(tool) : words.any(tool)}
          </label>
        ))}
      </fieldset>
      <p className="muted">
        {words.keepIn[where]} {words.keepNote}
      </p>
      <div className="approval-actions">
        <SendOrCancel label={words.keep} isOff={isOff} onCancel={onCancel} />
      </div>
    </form>
  )
}
