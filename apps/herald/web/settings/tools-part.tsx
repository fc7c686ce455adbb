import type { ReactElement } from "react"
import { words } from "../i18n/en-settings.ts"
import { families, type ToolFamily } from "./tool-families.ts"
import { useSave, useValues } from "./use-values.ts"
import { Switch, ValueForm } from "./value-form.tsx"
import { Waiting } from "./waiting.tsx"

/** What the assistant can do: each family on or off, with what that may lead to. */
export function ToolsPart(): ReactElement {
  const { data, error } = useValues()
  if (!data) return <Waiting error={error} />
  return (
    <>
      <p className="muted">{words.tools.lead}</p>
      {families.map((family) => (
        <Family key={family.title} family={family} />
      ))}
    </>
  )
}

function Family({ family }: { readonly family: ToolFamily }): ReactElement | null {
  const { value } = useValues()
  const save = useSave()
  const switches = family.switches.flatMap(({ name, label }) => {
    const found = value(name)
    return found ? [{ name, label, found }] : []
  })
  const options = family.options.filter(({ name }) => value(name) !== undefined)
  if (switches.length === 0 && options.length === 0) return null

  return (
    <section className="panel" aria-label={family.title}>
      <h3>{family.title}</h3>
      <p>{family.lead}</p>
      <p className="risk">{family.risk}</p>
      {switches.map(({ name, label, found }) => (
        <Switch
          key={name}
          label={label}
          hint={found.origin === "file" ? words.ofFile(found.where ?? "") : undefined}
          isOn={found.value === true}
          isFixed={found.origin === "file" || save.isPending}
          onChange={(next) => save.mutate({ [name]: next })}
        />
      ))}
      <div role="alert">{save.error && <p className="form-error">{save.error.message}</p>}</div>
      {options.length > 0 && (
        <details>
          <summary>{words.tools.options}</summary>
          <ValueForm options={options} value={value} />
        </details>
      )}
    </section>
  )
}
