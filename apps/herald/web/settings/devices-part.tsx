import { useQuery, useQueryClient } from "@tanstack/react-query"
import type { ReactElement } from "react"
import { request } from "../api/http.ts"
import { useShared } from "../app/context.ts"
import { words } from "../i18n/en-devices.ts"
import { formatDay, formatFullTime } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { toast } from "../ui/toast.tsx"
import { deviceName } from "./device.ts"
import { Waiting } from "./waiting.tsx"
import "../styles/records.css"

/** As the gateway tells it. */
interface Login {
  readonly id: string
  /** The browser's `User-Agent`. */
  readonly device: string
  /** ms since 1970. */
  readonly since: number
  readonly usedAt: number
  /** The one that asks. */
  readonly current: boolean
}

const LOGINS = ["logins"]

/** Where somebody is logged in, and how to end that from here. */
export function DevicesPart(): ReactElement {
  const { me } = useShared()
  const client = useQueryClient()
  const { data, error } = useQuery({
    queryKey: LOGINS,
    queryFn: ({ signal }) =>
      request<{ readonly logins: readonly Login[] }>("GET", "/api/logins", undefined, signal),
  })
  const end = (id: string): void => {
    request("DELETE", `/api/logins/${id}`).then(
      async () => {
        await client.invalidateQueries({ queryKey: LOGINS })
        toast(words.ended)
      },
      (problem: Error) => toast(problem.message),
    )
  }
  if (!data) return <Waiting error={error} />
  const first = data.logins.toSorted((a, b) => Number(b.current) - Number(a.current))
  return (
    <>
      <p className="hint">{words.lead}</p>
      {first.length === 0 ? (
        <p className="muted">{words.none}</p>
      ) : (
        <ul className="records" aria-label={words.list}>
          {first.map((login) => (
            <Device key={login.id} login={login} onEnd={() => end(login.id)} />
          ))}
        </ul>
      )}
      {me.permissions.includes("owner") && (
        <section className="panel" aria-label={words.keys}>
          <h3>{words.keys}</h3>
          <p className="hint">{words.keysLead}</p>
        </section>
      )}
    </>
  )
}

function Device({
  login: { device, since, usedAt, current },
  onEnd,
}: {
  readonly login: Login
  readonly onEnd: () => void
}): ReactElement {
  const now = Date.now()
  const name = deviceName(device)
  return (
    <li className="record">
      <div className="record-body">
        <p className="record-content" title={device}>
          {name}
        </p>
        <p className="record-facts">
          <time dateTime={new Date(since).toISOString()} title={formatFullTime(since)}>
            {words.since(formatDay(since, now))}
          </time>
          <span>{current ? words.this : words.used(formatDay(usedAt, now))}</span>
        </p>
      </div>
      {/* This one is logged out by the menu, which forgets what it keeps of the chats too. */}
      {!current && (
        <Button aria-label={words.endOf(name, formatFullTime(since))} onClick={onEnd}>
          {words.end}
        </Button>
      )}
    </li>
  )
}
