import { type FormEvent, type ReactElement, useState } from "react"
import { useAction, useAnswer } from "../api/hooks.ts"
import type { Grounding, GroundingTrial, Json } from "../api/types.ts"
import { Confirm } from "../ui/confirm.tsx"
import { Listed } from "../ui/list.tsx"
import { Button, Empty, Failure } from "../ui/parts.tsx"
import { Trials } from "./trials.tsx"

const EXAMPLE = `name: refunds
domain: e-commerce
version: "1.0"
use-cases:
  - action: Refund order {orderId}
    params:
      orderId: ORD-123
    capabilities:
      - Finds an order
      - Pays money back
    intent: The customer gets back what they paid
constraints:
  - Nothing is paid back twice
  - { service: payments, after: orders }
`

/** What is known of domains, which plans in them keep to. */
export function GroundingsScreen(): ReactElement {
  const groundings = useAnswer<readonly Grounding[]>(["groundings"], "/groundings")
  return (
    <>
      <header className="screen-head">
        <h1>Groundings</h1>
      </header>
      <p className="lead">
        What you know of a domain: how actions in it are asked for, what they need, and the rules their plans
        keep to.
      </p>
      <Listed
        of={groundings}
        empty={
          <Empty title="No groundings yet">
            <p>
              Without one, plans are made from what services say of themselves. A grounding adds what they
              cannot know. Anything that is like none of its use cases is planned without it.
            </p>
            <p>The form below has an example to begin with.</p>
          </Empty>
        }
      >
        {(grounding) => <Card key={grounding.name} grounding={grounding} />}
      </Listed>
      <Apply />
    </>
  )
}

function Card({ grounding }: { readonly grounding: Grounding }): ReactElement {
  const act = useAction("groundings")
  const trial = useAction<readonly GroundingTrial[]>("groundings")
  const { name, domain, version, useCases, constraints } = grounding
  return (
    <li className="card">
      <header className="panel-head">
        <h2>{name}</h2>
        <span className="muted">
          {domain}, version {version}
        </span>
      </header>
      <h3>Use cases</h3>
      <ul className="bullets">
        {useCases.map((each) => (
          <li key={each.action}>
            <strong>{each.action}</strong>: {each.intent}
            <br />
            <span className="muted">needs {each.capabilities.join("; ")}</span>
          </li>
        ))}
      </ul>
      {constraints.length > 0 && (
        <>
          <h3>Rules</h3>
          <ul className="bullets">
            {constraints.map((each) => (
              <li key={JSON.stringify(each)}>{typeof each === "string" ? each : ruleText(each)}</li>
            ))}
          </ul>
        </>
      )}
      <div className="actions">
        <Button
          disabled={trial.isPending}
          onClick={() => trial.mutate({ method: "POST", path: "/groundings/test", body: grounding })}
        >
          {trial.isPending ? "Plans are being made…" : "Test"}
        </Button>
        <Confirm
          label="Remove"
          again={`Remove ${name} for good`}
          isBusy={act.isPending}
          onConfirm={() => act.mutate({ method: "DELETE", path: `/groundings/${name}` })}
        />
      </div>
      {(act.error ?? trial.error) && <Failure error={act.error ?? trial.error ?? new Error()} />}
      {trial.data && <Trials of={trial.data} />}
    </li>
  )
}

/** `payments, after orders: proved` of `{ "service": "payments", "after": "orders" }`. */
function ruleText(rule: Json): string {
  const { service, ...rest } = rule as Readonly<Record<string, Json>>
  const [kind = "", said] = Object.entries(rest)[0] ?? []
  return `${service}: ${WORDS[kind] ?? kind}${said === true ? "" : ` ${said}`} (proved of each plan)`
}

const WORDS: Readonly<Record<string, string>> = { atMost: "at most", exactly: "exactly" }

function Apply(): ReactElement {
  const act = useAction("groundings")
  const trial = useAction<readonly GroundingTrial[]>("groundings")
  const [text, setText] = useState(EXAMPLE)
  const [wrong, setWrong] = useState<Error>()
  const error = wrong ?? act.error ?? trial.error
  const send = (to: "/groundings" | "/groundings/test"): void => {
    setWrong(undefined)
    act.reset()
    trial.reset()
    try {
      const isJson = text.trimStart().startsWith("{")
      const said = isJson ? { body: JSON.parse(text) as unknown } : { yaml: text }
      if (to === "/groundings") act.mutate({ method: "POST", path: to, ...said })
      else trial.mutate({ method: "POST", path: to, ...said })
    } catch (thrown) {
      setWrong(new Error(`This is no JSON: ${(thrown as Error).message}`))
    }
  }
  const apply = (event: FormEvent): void => {
    event.preventDefault()
    send("/groundings")
  }
  return (
    <form className="panel card-form" onSubmit={apply}>
      <h2>Apply a grounding</h2>
      <label className="field">
        <span>YAML or JSON; of a name that is there, a new version takes its place</span>
        <textarea
          rows={16}
          spellCheck={false}
          className="code"
          value={text}
          onChange={({ target }) => setText(target.value)}
        />
      </label>
      <div className="actions">
        <Button type="submit" look="primary" disabled={act.isPending}>
          Apply
        </Button>
        <Button disabled={trial.isPending} onClick={() => send("/groundings/test")}>
          {trial.isPending ? "Plans are being made…" : "Test it first"}
        </Button>
      </div>
      {error && <Failure error={error} />}
      {trial.data && <Trials of={trial.data} />}
      {act.isSuccess && <p role="status">It is applied, and holds for plans from now on.</p>}
    </form>
  )
}
