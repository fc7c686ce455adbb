import { type ReactElement, useEffect, useRef, useState } from "react"
import { api } from "../api/api.ts"
import type { Me } from "../api/types.ts"
import { t } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { Field } from "../ui/field.tsx"
import { Mark } from "../ui/icons.tsx"

/** How a browser gets in: by the link from the terminal, which brings its token along, or by a key. */
export function LoginPage({
  token,
  onLogin,
}: {
  readonly token: string
  readonly onLogin: (me: Me) => void
}): ReactElement {
  const [error, setError] = useState<{ readonly about: "link" | "form"; readonly message: string }>()
  const [isWorking, setWorking] = useState(token !== "")
  const [isPrinted, setPrinted] = useState(false)
  const tried = useRef("")

  useEffect(() => {
    // A link works once, and development renders twice.
    if (token === "" || tried.current === token) return
    tried.current = token
    // The token is spent by this; it has no business in the history of the browser.
    window.history.replaceState(null, "", "/login")
    api.login({ token }).then(onLogin, (failure: Error) => {
      setWorking(false)
      setError({ about: "link", message: failure.message })
    })
  }, [token, onLogin])

  const attempt = (work: () => Promise<void>): void => {
    setWorking(true)
    setError(undefined)
    work()
      .catch((failure: Error) => setError({ about: "form", message: failure.message }))
      .finally(() => setWorking(false))
  }
  return (
    <main className="card-page">
      <section className="card">
        <Mark size={40} />
        <h1>{t.login.title}</h1>
        <p className="muted">{t.login.lead}</p>
        <div role="alert">
          {error && (
            <p className="form-error">
              {error.about === "link" && <strong>{t.login.linkFailed}. </strong>}
              {error.message}
            </p>
          )}
        </div>
        <div role="status">{isPrinted && <p className="note quiet-note">{t.login.printed}</p>}</div>
        <Button
          disabled={isWorking}
          onClick={() =>
            attempt(async () => {
              await api.printLink()
              setPrinted(true)
            })
          }
        >
          {isWorking ? t.login.working : t.login.printLink}
        </Button>
        <form
          className="form"
          onSubmit={(event) => {
            event.preventDefault()
            const key = String(new FormData(event.currentTarget).get("key") ?? "").trim()
            if (key !== "") attempt(async () => onLogin(await api.login({ key })))
          }}
        >
          <p className="divider">
            <span>{t.login.orKey}</span>
          </p>
          <Field label={t.login.key} name="key" type="password" autoComplete="current-password" required />
          <Button look="primary" type="submit" disabled={isWorking}>
            {t.login.submit}
          </Button>
        </form>
      </section>
    </main>
  )
}
