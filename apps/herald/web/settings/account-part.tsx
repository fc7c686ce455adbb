import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import type { ReactElement } from "react"
import { request } from "../api/http.ts"
import { words } from "../i18n/en-account.ts"
import { formatDay, formatFullTime } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { toast } from "../ui/toast.tsx"
import { Waiting } from "./waiting.tsx"
import "../styles/records.css"

interface Accounts {
  /** Whether there is a bot now. */
  readonly connected: boolean
  readonly links: readonly { readonly user: string; readonly username: string; readonly at: number }[]
}

interface Code {
  readonly code: string
  /** ms since 1970. */
  readonly expires_at: number
}

const ACCOUNTS = ["discord-accounts"]
/** A code is used in another window: how often it is looked whether it was, in ms. */
const LOOK_MS = 3_000

/** When the last of them was linked; 0 for none. */
const linkedAt = ({ links }: Accounts): number => Math.max(0, ...links.map(({ at }) => at))

/** Somebody's own accounts in Discord: a code links one. */
export function AccountPart(): ReactElement {
  const client = useQueryClient()
  // What it is given is when an account was linked last before the code, by the server's clock.
  const code = useMutation({ mutationFn: (_: number) => request<Code>("POST", "/api/discord/links", {}) })
  const isUsed = (accounts: Accounts): boolean =>
    code.variables !== undefined && linkedAt(accounts) > code.variables
  const { data, error } = useQuery({
    queryKey: ACCOUNTS,
    queryFn: ({ signal }) => request<Accounts>("GET", "/api/discord/links", undefined, signal),
    refetchInterval: ({ state }) => (code.data && state.data && !isUsed(state.data) ? LOOK_MS : false),
  })
  const unlink = useMutation({
    mutationFn: (user: string) => request<Accounts>("DELETE", `/api/discord/links/${user}`),
    onSuccess: (next) => {
      client.setQueryData(ACCOUNTS, next)
      code.reset()
      toast(words.unlinked)
    },
  })
  if (!data) return <Waiting error={error} />
  const problem = code.error ?? unlink.error
  return (
    <>
      <p className="muted">{words.lead}</p>
      {data.links.length > 0 && (
        <ul className="records" aria-label={words.list}>
          {data.links.map(({ user, username, at }) => (
            <li className="record" key={user}>
              <div className="record-body">
                <p className="record-content">{username}</p>
                <p className="record-facts">
                  <time dateTime={new Date(at).toISOString()} title={formatFullTime(at)}>
                    {words.since(formatDay(at, Date.now()))}
                  </time>
                </p>
              </div>
              <Button
                aria-label={words.unlinkOf(username)}
                disabled={unlink.isPending}
                onClick={() => unlink.mutate(user)}
              >
                {words.unlink}
              </Button>
            </li>
          ))}
        </ul>
      )}
      <section className="panel" aria-label={words.add}>
        <h3>{words.add}</h3>
        {!data.connected && <p className="hint">{words.off}</p>}
        <div role="status">
          {code.data &&
            (isUsed(data) ? (
              <p>{words.done}</p>
            ) : (
              <>
                <ol className="steps">
                  <li>{words.open}</li>
                  <li>
                    {words.type} <code className="link-code">/link code:{code.data.code}</code>
                  </li>
                </ol>
                <p className="hint">{words.until(formatFullTime(code.data.expires_at))}</p>
              </>
            ))}
        </div>
        <div className="form-foot">
          <Button disabled={!data.connected || code.isPending} onClick={() => code.mutate(linkedAt(data))}>
            {code.data ? words.another : words.code}
          </Button>
        </div>
        <div role="alert">{problem && <p className="form-error">{problem.message}</p>}</div>
      </section>
    </>
  )
}
