import type { ReactElement } from "react"
import { useAction, useAnswer } from "../api/hooks.ts"
import type { ApiKey } from "../api/types.ts"
import { Confirm } from "../ui/confirm.tsx"
import { Listed } from "../ui/list.tsx"
import { Button, Failure, Time, Value } from "../ui/parts.tsx"

/** The keys of the project, of which the engine has only hashes. */
export function KeysScreen(): ReactElement {
  const keys = useAnswer<readonly ApiKey[]>(["keys"], "/apikeys")
  const make = useAction<{ readonly apiKey: string }>("keys")
  const revoke = useAction("keys")
  return (
    <>
      <header className="screen-head">
        <h1>Keys</h1>
        <Button
          look="primary"
          disabled={make.isPending}
          onClick={() => make.mutate({ method: "POST", path: "/apikeys" })}
        >
          Make a key
        </Button>
      </header>
      <p className="lead">
        Services and applications open this project with a key. Give each its own, so that one can be revoked
        without the others.
      </p>
      {make.data && (
        <div className="note" role="status">
          <p>The new key. Copy it now: it is not shown again.</p>
          <Value label="New key" of={make.data.apiKey} />
        </div>
      )}
      {(make.error ?? revoke.error) && <Failure error={make.error ?? revoke.error ?? new Error()} />}
      <Listed of={keys} empty={<p className="muted">There are no keys.</p>}>
        {({ id, createdAt }) => (
          <li key={id} className="line">
            <span>
              <code>{id}</code>{" "}
              <span className="muted">
                made <Time at={createdAt} />
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
    </>
  )
}
