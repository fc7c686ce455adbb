import { type FormEvent, type ReactElement, useState } from "react"
import { ask } from "../api/http.ts"
import { Button, Failure } from "../ui/parts.tsx"
import type { Session } from "./session.ts"

/** Asks for the key of a project; on the machine of the engine a project can be made without one. */
export function Login({ onOpen }: { readonly onOpen: (session: Session) => void }): ReactElement {
  const [error, setError] = useState<Error>()
  const [isBusy, setBusy] = useState(false)
  const doing = (work: () => Promise<Session>): void => {
    setBusy(true)
    work()
      .then(onOpen, setError)
      .finally(() => setBusy(false))
  }
  const enter = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const key = String(new FormData(event.currentTarget).get("key")).trim()
    doing(async () => {
      await ask(key, "/orchestrations?limit=1")
      return { type: "project", key }
    })
  }
  const make = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const name = String(new FormData(event.currentTarget).get("name")).trim()
    doing(async () => {
      const { apiKey } = await ask<{ readonly apiKey: string }>("", "/register/project", {
        method: "POST",
        body: { name },
      })
      return { type: "project", key: apiKey }
    })
  }
  return (
    <main className="login">
      <h1>Plan engine</h1>
      <form onSubmit={enter}>
        <label className="field">
          <span>API key of a project</span>
          <input name="key" type="password" autoComplete="off" required placeholder="sk-orra-v1-…" />
        </label>
        <Button type="submit" look="primary" disabled={isBusy}>
          Open
        </Button>
      </form>
      <form onSubmit={make}>
        <label className="field">
          <span>No project yet? Give it a name</span>
          <input name="name" required maxLength={200} placeholder="shop" />
        </label>
        <Button type="submit" disabled={isBusy}>
          Make a project
        </Button>
      </form>
      {error && <Failure error={error} />}
    </main>
  )
}
