import type { FormEvent, ReactElement } from "react"
import { useAction, useAnswer } from "../api/hooks.ts"
import type { ApiKey } from "../api/types.ts"
import { useKey } from "../app/session.ts"
import { Confirm } from "../ui/confirm.tsx"
import { Listed } from "../ui/list.tsx"
import { Button, Failure, Time, Value } from "../ui/parts.tsx"

const SCOPES = [
  ["service", "connect services"],
  ["read", "look at everything"],
  ["orchestrate", "begin and cancel runs, and see to compensations"],
  ["admin", "keys, webhooks, groundings, and removing services"],
] as const

/** The keys of the project, of which the engine has only hashes. */
export function KeysScreen(): ReactElement {
  const keys = useAnswer<readonly ApiKey[]>(["keys"], "/apikeys")
  const make = useAction<{ readonly apiKey: string }>("keys")
  const revoke = useAction("keys")
  const ownKey = useKey()
  const create = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const scopes = new FormData(event.currentTarget).getAll("scope")
    make.mutate({ method: "POST", path: "/apikeys", body: { scopes } })
  }
  return (
    <>
      <header className="screen-head">
        <h1>Keys</h1>
      </header>
      <p className="lead">
        Services and applications open this project with a key. Give each its own, so that one can be revoked
        without the others.
      </p>
      <form className="panel card-form" onSubmit={create}>
        <fieldset className="choices">
          <legend>What a new key may do</legend>
          {SCOPES.map(([scope, what]) => (
            <label key={scope}>
              <input type="checkbox" name="scope" value={scope} defaultChecked />
              {what}
            </label>
          ))}
        </fieldset>
        <div className="actions">
          <Button type="submit" look="primary" disabled={make.isPending}>
            Make a key
          </Button>
        </div>
      </form>
      {make.data && (
        <div className="note" role="status">
          <p>The new key. Copy it now: it is not shown again.</p>
          <Value label="New key" of={make.data.apiKey} />
        </div>
      )}
      {(make.error ?? revoke.error) && <Failure error={make.error ?? revoke.error ?? new Error()} />}
      <Listed of={keys} empty={<p className="muted">There are no keys.</p>}>
        {({ id, createdAt, scopes, expiresAt }) => (
          <li key={id} className="line">
            <span>
              <code>{id}</code>{" "}
              <span className="muted">
                may {scopes.join(", ")}; made <Time at={createdAt} />
                {expiresAt !== undefined && (
                  <>
                    , until <Time at={expiresAt} />
                  </>
                )}
              </span>
            </span>
            <Confirm
              label="Revoke"
              again="Revoke it for good"
              isBusy={revoke.isPending}
              onConfirm={() => revoke.mutate({ method: "DELETE", path: `/apikeys/${id}` })}
            />
          </li>
        )}
      </Listed>
      <details>
        <summary>The key this tab is logged in with</summary>
        <Value label="Key of this tab" of={ownKey} />
      </details>
    </>
  )
}
