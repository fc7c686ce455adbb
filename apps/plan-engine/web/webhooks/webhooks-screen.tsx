import type { FormEvent, ReactElement } from "react"
import { useAction, useAnswer } from "../api/hooks.ts"
import { useSession } from "../app/session.ts"
import { Confirm } from "../ui/confirm.tsx"
import { Listed } from "../ui/list.tsx"
import { Button, Failure, Value } from "../ui/parts.tsx"
import { Deliveries } from "./deliveries.tsx"

interface Webhook {
  readonly url: string
}

export function WebhooksScreen(): ReactElement {
  const session = useSession()
  return (
    <>
      <header className="screen-head">
        <h1>Webhooks</h1>
      </header>
      <p className="lead">
        Who is told. Every message is signed with the secret of the project and repeated until it was heard.
      </p>
      {session.type === "project" && session.webhookSecret !== undefined && (
        <div className="note">
          <p>The secret that messages are signed with. It is shown in this tab alone, until it is closed.</p>
          <Value label="Secret" of={session.webhookSecret} />
        </div>
      )}
      <Addresses
        path="/webhooks"
        title="Told how runs end"
        empty="Nobody is told how runs end. Add the address of an application that should be."
      />
      <Addresses
        path="/compensation-failure-webhooks"
        title="Told what could not be undone"
        empty="Nobody is told of failed compensations. Add an address that reaches a person."
      />
      <Deliveries />
    </>
  )
}

function Addresses({
  path,
  title,
  empty,
}: {
  readonly path: string
  readonly title: string
  readonly empty: string
}): ReactElement {
  const webhooks = useAnswer<readonly Webhook[]>([path], path)
  const act = useAction(path)
  const add = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const form = event.currentTarget
    const url = String(new FormData(form).get("url")).trim()
    act.mutate({ method: "POST", path, body: { url } }, { onSuccess: () => form.reset() })
  }
  return (
    <section className="panel" aria-label={title}>
      <h2>{title}</h2>
      <Listed of={webhooks} empty={<p className="muted">{empty}</p>}>
        {({ url }) => (
          <li key={url} className="line">
            <code>{url}</code>
            <Confirm
              label="Remove"
              again="Tell it no more"
              isBusy={act.isPending}
              onConfirm={() =>
                act.mutate({ method: "DELETE", path: `${path}?url=${encodeURIComponent(url)}` })
              }
            />
          </li>
        )}
      </Listed>
      <form className="line-form" onSubmit={add}>
        <label className="field">
          <span>Address</span>
          <input name="url" type="url" required placeholder="https://shop.example/hooks" />
        </label>
        <Button type="submit" disabled={act.isPending}>
          Add
        </Button>
      </form>
      {act.error && <Failure error={act.error} />}
    </section>
  )
}
