import { type FormEvent, type ReactElement, useState } from "react"
import { ApiFailure, ask } from "../api/http.ts"
import { Button, Failure } from "../ui/parts.tsx"
import type { Session } from "./session.ts"

/** Asks for the key of a project or of whoever may make some; on the machine of the engine one is made without. */
export function Login({
  onOpen,
  onBack,
}: {
  readonly onOpen: (session: Session) => void
  /** To what is open already. */
  readonly onBack?: () => void
}): ReactElement {
  const [error, setError] = useState<Error>()
  const [isBusy, setBusy] = useState(false)
  const doing = (session: Promise<Session>): void => {
    setBusy(true)
    session.then(onOpen, setError).finally(() => setBusy(false))
  }
  const enter = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    doing(sessionOf(String(new FormData(event.currentTarget).get("key")).trim()))
  }
  const make = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    doing(madeProject("", String(new FormData(event.currentTarget).get("name")).trim()))
  }
  return (
    <main className="login">
      <div>
        <h1>Plan engine</h1>
        <p className="muted">
          Plans across your services: made, proved, carried out, and shown here while they run.
        </p>
      </div>
      <form onSubmit={enter}>
        <label className="field">
          <span>API key of a project, or the admin key</span>
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
      {onBack && (
        <Button look="quiet" onClick={onBack}>
          Back
        </Button>
      )}
    </main>
  )
}

/** @throws ApiFailure for a key that opens nothing. */
async function sessionOf(key: string): Promise<Session> {
  try {
    const { name } = await ask<{ readonly name: string }>(key, "/project")
    return { type: "project", key, name }
  } catch (error) {
    // Keys of projects begin like this, and those alone.
    if (!(error instanceof ApiFailure) || key.startsWith("sk-orra-")) throw error
  }
  await ask(key, "/projects")
  return { type: "admin", key }
}

/** Makes a project, as whoever has this key; empty on the machine of the engine. @throws ApiFailure. */
export async function madeProject(adminKey: string, name: string): Promise<Session> {
  try {
    const made = await ask<{ readonly apiKey: string; readonly webhookSecret: string }>(
      adminKey,
      "/register/project",
      { method: "POST", body: { name } },
    )
    return { type: "project", key: made.apiKey, name, webhookSecret: made.webhookSecret }
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 403)
      throw new ApiFailure(
        403,
        "Projects are made on the engine's own machine, or with its admin key: enter that above.",
      )
    throw error
  }
}
