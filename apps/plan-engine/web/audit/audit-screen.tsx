import { type ReactElement, useState } from "react"
import { useAnswer, usePages } from "../api/hooks.ts"
import type { AuditEntry } from "../api/types.ts"
import { More } from "../ui/list.tsx"
import { Button, Empty, Failure, Time } from "../ui/parts.tsx"

/** Who asked the project for what. */
export function AuditScreen(): ReactElement {
  const entries = usePages<AuditEntry>("audit", "/audit")
  const [isChecked, setChecked] = useState(false)
  const shown = entries.data?.pages.flatMap(({ items }) => items) ?? []
  return (
    <>
      <header className="screen-head">
        <h1>Audit</h1>
        <Button onClick={() => setChecked(true)}>Check that all of it is there</Button>
      </header>
      <p className="lead">
        Everything that was asked of this project but looks, and by which key. Each entry has a hash over
        itself and the one before, so that nothing can be taken out or changed unseen.
      </p>
      {isChecked && <Check />}
      {entries.error && <Failure error={entries.error} onRetry={() => void entries.refetch()} />}
      {entries.data && shown.length === 0 && (
        <Empty title="Nothing yet">
          <p>The first service that registers, the first run and the first new key are written down here.</p>
        </Empty>
      )}
      <ul>
        {shown.map(({ number, at, by, action, subject, status, code }) => (
          <li key={number} className="line">
            <span>
              <strong>{action}</strong> {subject !== undefined && <code>{subject}</code>}{" "}
              <span className="muted">by {by}</span>
            </span>
            <span className="muted">
              {status >= 400 && `refused, ${code ?? status} · `}
              <Time at={at} />
            </span>
          </li>
        ))}
      </ul>
      <More of={entries} />
    </>
  )
}

function Check(): ReactElement {
  const found = useAnswer<{
    readonly isWhole: boolean
    readonly entries: number
    readonly brokenAt?: number
  }>(["audit-check"], "/audit?verify")
  if (found.error) return <Failure error={found.error} />
  if (!found.data) return <p className="muted">Reading all of it…</p>
  const { isWhole, entries, brokenAt } = found.data
  return (
    <p className={isWhole ? "note" : "note danger"} role="status">
      {isWhole
        ? `All ${entries} entries are there and as they were written.`
        : `Entry ${brokenAt} is not as it was written, or one before it is missing.`}
    </p>
  )
}
