import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { type ReactElement, useState } from "react"
import { request } from "../api/http.ts"
import { exportChat } from "../chat/export.ts"
import { words } from "../i18n/en-shares.ts"
import { formatDay, formatFullTime, formatTime, t } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { CopyButton } from "../ui/copy-button.tsx"
import { Dialog } from "../ui/dialog.tsx"
import { Field } from "../ui/field.tsx"
import { FormFoot } from "../ui/form-foot.tsx"
import { toast } from "../ui/toast.tsx"
import "../styles/shares.css"

interface Share {
  readonly id: string
  readonly chat: string
  /** ms since 1970. */
  readonly at: number
  readonly until: number
}

const SHARES = ["shares"]
const DAYS = [1, 7, 30] as const

/** Links to copies of a chat: made, seen until when, taken back. */
export default function ShareDialog({
  namespace,
  title,
  onClose,
}: {
  readonly namespace: string
  readonly title: string
  readonly onClose: () => void
}): ReactElement {
  const { data, error } = useQuery({
    queryKey: SHARES,
    queryFn: ({ signal }) =>
      request<{ readonly enabled: boolean; readonly shares: readonly Share[] }>(
        "GET",
        "/api/shares",
        undefined,
        signal,
      ),
  })
  const shares = data?.shares.filter(({ chat }) => chat === namespace) ?? []
  return (
    <Dialog title={words.title} description={words.lead} isOpen onClose={onClose}>
      {error && <p className="form-error">{error.message}</p>}
      {!data && !error && <p className="muted">{t.loading}</p>}
      {data && !data.enabled && <p className="note quiet-note">{words.off}</p>}
      {data?.enabled && <Maker namespace={namespace} title={title} onClose={onClose} />}
      {shares.length > 0 && <Links shares={shares} />}
    </Dialog>
  )
}

function Maker({
  namespace,
  title,
  onClose,
}: {
  readonly namespace: string
  readonly title: string
  readonly onClose: () => void
}): ReactElement {
  const client = useQueryClient()
  const [days, setDays] = useState<(typeof DAYS)[number]>(7)
  const make = useMutation({
    mutationFn: async () => {
      const html = await exportChat(namespace, title, "html")
      return await request<{ readonly path: string }>("POST", "/api/shares", { namespace, title, html, days })
    },
    onSuccess: () => client.invalidateQueries({ queryKey: SHARES }),
  })
  if (make.data) {
    const link = `${location.origin}${make.data.path}`
    return (
      <div className="form share-form">
        <Field label={words.link} value={link} readOnly onFocus={({ target }) => target.select()}>
          <CopyButton text={() => link} label={words.copy} />
        </Field>
      </div>
    )
  }
  return (
    <form
      className="form share-form"
      onSubmit={(event) => {
        event.preventDefault()
        make.mutate()
      }}
    >
      <fieldset className="choices share-days">
        <legend>{words.until}</legend>
        {DAYS.map((value) => (
          <label key={value} className={days === value ? "choice chosen" : "choice"}>
            <input type="radio" name="days" checked={days === value} onChange={() => setDays(value)} />
            <span>{words.days[value]}</span>
          </label>
        ))}
      </fieldset>
      <FormFoot
        problem={make.error?.message}
        label={make.isPending ? words.making : words.make}
        isOff={make.isPending}
        onCancel={onClose}
      />
    </form>
  )
}

function Links({ shares }: { readonly shares: readonly Share[] }): ReactElement {
  const client = useQueryClient()
  const revoke = (id: string): void => {
    request("DELETE", `/api/shares/${id}`).then(
      async () => {
        await client.invalidateQueries({ queryKey: SHARES })
        toast(words.revoked)
      },
      (error: Error) => toast(error.message),
    )
  }
  const now = Date.now()
  return (
    <section className="share-links">
      <h3>{words.others}</h3>
      <ul>
        {shares.map(({ id, at, until }) => (
          <li key={id}>
            <span title={formatFullTime(until)}>
              {words.made(formatDay(at, now))}, {words.ends(formatDay(until, now), formatTime(until))}
            </span>
            <Button aria-label={words.revokeOf(formatFullTime(at))} onClick={() => revoke(id)}>
              {words.revoke}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  )
}
