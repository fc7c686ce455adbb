import { type FormEvent, type ReactElement, useContext, useState } from "react"
import { useAnswer } from "../api/hooks.ts"
import { madeProject } from "../app/login.tsx"
import { SessionContext, useKey } from "../app/session.ts"
import { Listed } from "../ui/list.tsx"
import { Button, Empty, Failure, Time } from "../ui/parts.tsx"

interface Project {
  readonly id: string
  readonly name: string
  readonly createdAt: string
}

/** The projects of the engine, for whoever may make some. What is in them only their own keys show. */
export function ProjectsScreen(): ReactElement {
  const projects = useAnswer<readonly Project[]>(["projects"], "/projects")
  const { open } = useContext(SessionContext)
  const key = useKey()
  const [error, setError] = useState<Error>()
  const make = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    madeProject(key, String(new FormData(event.currentTarget).get("name")).trim()).then(open, setError)
  }
  return (
    <>
      <header className="screen-head">
        <h1>Projects</h1>
      </header>
      <p className="lead">
        Each has its own services, runs and keys. To look into one, open it with a key of it.
      </p>
      <Listed
        of={projects}
        empty={
          <Empty title="No projects yet">
            <p>A project is whose services and runs belong together. Make the first one below.</p>
          </Empty>
        }
      >
        {({ id, name, createdAt }) => (
          <li key={id} className="line">
            <strong>{name || "Without a name"}</strong>
            <span className="muted">
              <code>{id}</code> made <Time at={createdAt} />
            </span>
          </li>
        )}
      </Listed>
      <form className="panel line-form" onSubmit={make}>
        <label className="field">
          <span>Name of a new project</span>
          <input name="name" required maxLength={200} placeholder="shop" />
        </label>
        <Button type="submit" look="primary">
          Make and open it
        </Button>
        {error && <Failure error={error} />}
      </form>
    </>
  )
}
