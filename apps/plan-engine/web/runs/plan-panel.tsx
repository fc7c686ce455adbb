import { type ReactElement, useState } from "react"
import { useAnswer } from "../api/hooks.ts"
import type { PlanOrigin } from "../api/types.ts"
import { Failure, Value } from "../ui/parts.tsx"

/** Where the plan is from, and the plan as a validator of plans reads it. */
export function PlanPanel({
  id,
  origin,
}: {
  readonly id: string
  readonly origin: PlanOrigin | undefined
}): ReactElement {
  const [isOpen, setOpen] = useState(false)
  const { grounding } = origin ?? {}
  return (
    <section className="panel" aria-label="Plan">
      <h2>Plan</h2>
      {origin && <p>{madeBy(origin)}</p>}
      {grounding && (
        <p>
          Grounded in {grounding.name} {grounding.version}: it is like “{grounding.useCase}” (
          {Math.round(grounding.score * 100)}%, by {grounding.by}).
        </p>
      )}
      <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary>In PDDL, for a validator such as VAL</summary>
        {isOpen && <Pddl id={id} />}
      </details>
    </section>
  )
}

function madeBy(origin: PlanOrigin): string {
  if (origin.by === "cache") return "A plan that was made before was taken again, and proved again."
  const { attempts, cache } = origin
  const times = attempts === 1 ? "at the first attempt" : `at attempt ${attempts}`
  return `Made by the model, and proved ${times}.${cache ? ` No kept plan was taken: ${cache.missed}` : ""}`
}

function Pddl({ id }: { readonly id: string }): ReactElement {
  const files = useAnswer<Readonly<Record<string, string>>>(["pddl", id], `/orchestrations/${id}/pddl`)
  if (files.error) return <Failure error={files.error} />
  return (
    <>
      {Object.entries(files.data ?? {}).map(([name, text]) => (
        <div key={name}>
          <h3>{name}</h3>
          <Value label={`PDDL ${name}`} of={text} />
        </div>
      ))}
    </>
  )
}
