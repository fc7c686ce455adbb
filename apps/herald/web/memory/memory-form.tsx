import { type ReactElement, useId } from "react"
import { words } from "../i18n/en-memory.ts"
import { Field } from "../ui/field.tsx"
import { FormFoot } from "../ui/form-foot.tsx"
import type { MemoryText } from "./memory-api.ts"

/** A memory's text and tags: a new one, or one that is corrected. */
export function MemoryForm({
  initial,
  problem,
  isSaving,
  onSave,
  onCancel,
}: {
  readonly initial: MemoryText
  readonly problem: string | undefined
  readonly isSaving: boolean
  readonly onSave: (text: MemoryText) => void
  readonly onCancel: () => void
}): ReactElement {
  const id = useId()
  return (
    <form
      className="form record-form"
      onSubmit={(event) => {
        event.preventDefault()
        const data = new FormData(event.currentTarget)
        const tags = String(data.get("tags") ?? "").split(",")
        onSave({
          content: String(data.get("content") ?? "").trim(),
          tags: tags.map((tag) => tag.trim()).filter((tag) => tag !== ""),
        })
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.nativeEvent.isComposing) return
        event.stopPropagation()
        onCancel()
      }}
    >
      <div className="field">
        <label htmlFor={id}>{words.content}</label>
        <textarea
          id={id}
          name="content"
          className="record-text"
          rows={2}
          required
          maxLength={4_000}
          dir="auto"
          defaultValue={initial.content}
          aria-describedby={`${id}-hint`}
          ref={(field) => field?.focus()}
        />
        <small id={`${id}-hint`}>{words.addHint}</small>
      </div>
      <Field
        label={words.tags}
        name="tags"
        hint={words.tagsHint}
        defaultValue={initial.tags.join(", ")}
        maxLength={1_000}
      />
      <FormFoot problem={problem} label={words.save} isOff={isSaving} onCancel={onCancel} />
    </form>
  )
}
