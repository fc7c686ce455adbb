import { type FormEvent, type ReactElement, useState } from "react"
import { useAction } from "../api/hooks.ts"
import { Button, Failure } from "../ui/parts.tsx"

/** Asks for something in words and data, as an application would. */
export function NewRun({ onClose }: { readonly onClose: () => void }): ReactElement {
  const create = useAction<{ readonly id: string }>("runs")
  const [error, setError] = useState<Error>()
  const start = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    setError(undefined)
    const form = new FormData(event.currentTarget)
    try {
      const body = { action: { content: String(form.get("action")) }, data: fields(String(form.get("data"))) }
      create.mutate(
        { method: "POST", path: "/orchestrations", body },
        {
          onSuccess: ({ id }) => {
            location.hash = `#/runs/${id}`
          },
        },
      )
    } catch (thrown) {
      setError(thrown as Error)
    }
  }
  return (
    <form className="panel card-form" aria-label="New run" onSubmit={start}>
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
        <Button type="submit" look="primary" disabled={create.isPending}>
          {create.isPending ? "The plan is being made…" : "Start"}
        </Button>
        <Button look="quiet" onClick={onClose}>
          Close
        </Button>
      </div>
      {(error ?? create.error) && <Failure error={error ?? create.error ?? new Error()} />}
    </form>
  )
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
