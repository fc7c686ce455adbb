import type { ReactElement } from "react"
import { useAction, useAnswer } from "../api/hooks.ts"
import type { Service } from "../api/types.ts"
import { Confirm } from "../ui/confirm.tsx"
import { Listed } from "../ui/list.tsx"
import { Empty, Failure, Value } from "../ui/parts.tsx"

/** Whether a service is connected is no news of the engine: it is looked for. */
const LOOK_MS = 3_000

export function ServicesScreen(): ReactElement {
  const services = useAnswer<readonly Service[]>(["services"], "/services", LOOK_MS)
  return (
    <>
      <header className="screen-head">
        <h1>Services</h1>
      </header>
      <p className="lead">
        What plans are made of. A service that is away pauses its tasks; they go on when it is back.
      </p>
      <Listed of={services} empty={<NoServices />}>
        {(service) => <Card key={service.id} service={service} />}
      </Listed>
    </>
  )
}

function Card({ service }: { readonly service: Service }): ReactElement {
  const act = useAction("services")
  const { id, name, kind, version, healthy, revertible, description, schema } = service
  return (
    <li className="card">
      <header className="panel-head">
        <h2>{name}</h2>
        <span className="status" data-status={healthy ? "completed" : "paused"}>
          {healthy ? "Connected" : "Away"}
        </span>
      </header>
      <p>{description}</p>
      <p className="muted card-facts">
        <span>{kind === "agent" ? "Agent" : "Service"}</span>
        <span>version {version}</span>
        <span>{revertible ? "can undo what it does" : "cannot undo"}</span>
        <code>{id}</code>
      </p>
      <details>
        <summary>What it takes and gives</summary>
        <h3>Takes</h3>
        <Value label={`Input of ${name}`} of={schema.input} />
        <h3>Gives</h3>
        <Value label={`Output of ${name}`} of={schema.output} />
      </details>
      <div className="actions">
        <Confirm
          label="Remove"
          again={`Remove ${name} for good`}
          isBusy={act.isPending}
          onConfirm={() => act.mutate({ method: "DELETE", path: `/services/${id}` })}
        />
      </div>
      {act.error && <Failure error={act.error} />}
    </li>
  )
}

const NoServices = (): ReactElement => (
  <Empty title="No services yet">
    <p>
      A service is a program that says what it takes and gives, connects, and does tasks. With{" "}
      <code>@orra/plan-sdk</code>, or the original SDKs for JavaScript and Python:
    </p>
    <pre className="value">{`import { initService } from "@orra/plan-sdk"

const service = initService({
  name: "echo",
  orraUrl: "${location.origin}",
  orraKey: process.env.ORRA_KEY,
})
const text = { type: "object", properties: { message: { type: "string" } } }
const echo = await service.register({
  description: "Says what it is told.",
  schema: { input: text, output: text },
})
echo.start(async ({ input }) => ({ message: input.message }))`}</pre>
    <p>It appears here as soon as it is registered.</p>
  </Empty>
)
