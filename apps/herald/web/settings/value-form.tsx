import { type ReactElement, useId, useState } from "react"
import { words } from "../i18n/en-settings.ts"
import { t } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { toast } from "../ui/toast.tsx"
import type { ShownValue } from "./settings-api.ts"
import { useSave } from "./use-values.ts"

/** A value that can be set, and how. */
export interface Option {
  readonly name: string
  readonly label: string
  readonly hint?: string
  readonly kind: "text" | "secret" | "lines" | "number" | "switch" | "choice"
  readonly choices?: Readonly<Record<string, string>>
}

/** Fields for values. What changed is sent when it is saved; a value of the file is shown and not changed. */
export function ValueForm({
  options,
  value,
}: {
  readonly options: readonly Option[]
  readonly value: (name: string) => ShownValue | undefined
}): ReactElement {
  const [draft, setDraft] = useState<Readonly<Record<string, unknown>>>({})
  const save = useSave(() => {
    setDraft({})
    toast(words.saved)
  })
  const shown = options.flatMap((option) => {
    const found = value(option.name)
    return found ? [{ option, found }] : []
  })
  const isFixed = shown.every(({ found }) => found.origin === "file")
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault()
        if (Object.keys(draft).length > 0) save.mutate(withoutBlanks(draft))
      }}
    >
      {shown.map(({ option, found }) => (
        <OptionField
          key={option.name}
          option={option}
          found={found}
          value={option.name in draft ? draft[option.name] : found.isSecret ? "" : found.value}
          onChange={(next) => setDraft({ ...draft, [option.name]: next })}
        />
      ))}
      <div role="alert">{save.error && <p className="form-error">{save.error.message}</p>}</div>
      {!isFixed && (
        <div className="form-foot">
          <Button look="primary" type="submit" disabled={save.isPending || Object.keys(draft).length === 0}>
            {save.isPending ? words.saving : words.save}
          </Button>
          {Object.keys(draft).length > 0 && (
            <Button look="quiet" onClick={() => setDraft({})}>
              {t.cancel}
            </Button>
          )}
        </div>
      )}
    </form>
  )
}

/** Lists without the lines that are empty: whoever types needs them. */
const withoutBlanks = (draft: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(draft).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map((line) => String(line).trim()).filter(Boolean) : value,
    ]),
  )

function OptionField({
  option: { name, label, hint, kind, choices = {} },
  found,
  value,
  onChange,
}: {
  readonly option: Option
  readonly found: ShownValue
  readonly value: unknown
  readonly onChange: (value: unknown) => void
}): ReactElement {
  const id = useId()
  const isFixed = found.origin === "file"
  const isSet = kind === "secret" && found.value === true
  const about = (
    <small id={`${id}-hint`}>
      {isFixed
        ? words.ofFile(found.where ?? "")
        : value === null && isSet
          ? words.secretForgotten
          : isSet
            ? words.secretSet
            : hint}
    </small>
  )
  const common = { id, name, disabled: isFixed, "aria-describedby": `${id}-hint` }
  if (kind === "switch") {
    return (
      <Switch
        label={label}
        isOn={value === true}
        isFixed={isFixed}
        hint={isFixed ? words.ofFile(found.where ?? "") : hint}
        onChange={onChange}
      />
    )
  }
  if (kind === "choice") {
    return (
      <fieldset className="choices narrow-choices" disabled={isFixed}>
        <legend>{label}</legend>
        {Object.entries(choices).map(([choice, text]) => (
          <label key={choice} className={value === choice ? "choice chosen" : "choice"}>
            <input type="radio" name={id} checked={value === choice} onChange={() => onChange(choice)} />
            <span>{text}</span>
          </label>
        ))}
        {(isFixed || hint !== undefined) && about}
      </fieldset>
    )
  }
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {kind === "lines" ? (
        <textarea
          {...common}
          rows={3}
          spellCheck={false}
          value={Array.isArray(value) ? value.join("\n") : ""}
          onChange={(event) => onChange(event.target.value.split("\n"))}
        />
      ) : (
        <span className="with-button">
          <input
            {...common}
            type={kind === "secret" ? "password" : "text"}
            inputMode={kind === "number" ? "decimal" : undefined}
            autoComplete="off"
            spellCheck={false}
            value={value === null || value === undefined ? "" : String(value)}
            onChange={(event) => {
              const text = event.target.value
              onChange(kind === "number" && /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : text)
            }}
          />
          {isSet && !isFixed && (
            <Button look="quiet" onClick={() => onChange(null)}>
              {words.forget}
            </Button>
          )}
        </span>
      )}
      {about}
    </div>
  )
}

/** On or off, with what that means. */
export function Switch({
  label,
  hint,
  isOn,
  isFixed = false,
  onChange,
}: {
  readonly label: string
  readonly hint?: string | undefined
  readonly isOn: boolean
  readonly isFixed?: boolean
  readonly onChange: (isOn: boolean) => void
}): ReactElement {
  const id = useId()
  return (
    <div className="switch-row">
      <span>
        <label htmlFor={id}>{label}</label>
        {hint !== undefined && <small id={`${id}-hint`}>{hint}</small>}
      </span>
      <input
        id={id}
        type="checkbox"
        role="switch"
        className="switch"
        checked={isOn}
        aria-checked={isOn}
        disabled={isFixed}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => onChange(event.target.checked)}
      />
    </div>
  )
}
