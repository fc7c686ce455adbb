import { type FormEvent, type ReactElement, useState } from "react"
import { streamed } from "../api/live.ts"
import { useKey } from "../app/session.ts"
import { Button, Failure } from "../ui/parts.tsx"

/** How the engine says what it is doing while it makes a plan. */
type Planning =
  | { readonly type: "grounded"; readonly grounding: { readonly name: string } }
  | { readonly type: "reused" }
  | { readonly type: "asking" | "writing" | "proving"; readonly attempt: number; readonly length?: number }
  | { readonly type: "refused"; readonly findings: readonly { readonly message: string }[] }

/** Asks for something in words and data, as an application would, and tells how the plan is made. */
export function NewRun({ onClose }: { readonly onClose: () => void }): ReactElement {
  const key = useKey()
  const [error, setError] = useState<Error>()
  const [said, setSaid] = useState<string>()
  const start = async (form: FormData): Promise<void> => {
    const body = { action: { content: String(form.get("action")) }, data: fields(String(form.get("data"))) }
    for await (const { event, data } of streamed(key, "/orchestrations", { method: "POST", body })) {
      if (event === "planning") setSaid(sentence(JSON.parse(data) as Planning))
      if (event === "error") throw new Error((JSON.parse(data) as { message: string }).message)
      if (event === "planned") location.hash = `#/runs/${(JSON.parse(data) as { id: string }).id}`
    }
  }
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    setError(undefined)
    setSaid("The plan is being made.")
    start(new FormData(event.currentTarget))
      .catch(setError)
      .finally(() => setSaid(undefined))
  }
  return (
    <form className="panel card-form" aria-label="New run" onSubmit={submit}>
      <label className="field">
        <span>What is wanted</span>
        <input name="action" required placeholder="Order two red mugs for the customer" />
      </label>
      <label className="field">
        <span>What is known, as a JSON object</span>
        <textarea
          name="data"
          rows={4}
          className="code"
          spellCheck={false}
          defaultValue={'{ "customerId": "c-17" }'}
        />
      </label>
      <div className="actions">
        <Button type="submit" look="primary" disabled={said !== undefined}>
          Start
        </Button>
        <Button look="quiet" onClick={onClose}>
          Close
        </Button>
      </div>
      <p className="muted" role="status">
        {said}
      </p>
      {error && <Failure error={error} />}
    </form>
  )
}

function sentence(planning: Planning): string {
  switch (planning.type) {
    case "grounded":
      return `It is in the domain of ${planning.grounding.name}.`
    case "reused":
      return "A plan that was made before is taken again, and proved again."
    case "asking":
      return `The model is asked${planning.attempt > 1 ? `, attempt ${planning.attempt}` : ""}.`
    case "writing":
      return `The model writes: ${planning.length ?? 0} characters so far.`
    case "proving":
      return "The plan is proved."
    case "refused":
      return `The plan was refused: ${planning.findings.map(({ message }) => message).join(" ")}`
  }
}

/** @throws Error for what is no JSON object. */
function fields(text: string): readonly { readonly field: string; readonly value: unknown }[] {
  let data: unknown = {}
  try {
    if (text.trim() !== "") data = JSON.parse(text)
  } catch (error) {
    throw new Error(`What is known is no JSON: ${(error as Error).message}`)
  }
  if (typeof data !== "object" || data === null || Array.isArray(data))
    throw new Error('What is known must be a JSON object, such as { "customerId": "c-17" }.')
  return Object.entries(data).map(([field, value]) => ({ field, value }))
}
