import { type ReactElement, useState } from "react"
import { words } from "../i18n/en-settings.ts"
import { Field } from "../ui/field.tsx"
import { FormFoot } from "../ui/form-foot.tsx"
import { toast } from "../ui/toast.tsx"
import { Program, useServers } from "./mcp-part.tsx"
import { McpTools } from "./mcp-tools.tsx"
import type { McpChange, McpServer } from "./settings-api.ts"

const own = words.mcp

const NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?$/

/** Adds or changes a server: what it is, then what it offers, then which of that there shall be. */
export function McpForm({
  server,
  names = [],
  onDone,
}: {
  /** The one that is changed. Its secrets are not here: they stay as they are where nothing is written. */
  readonly server?: McpServer
  /** Those that are taken. */
  readonly names?: readonly string[]
  readonly onDone: () => void
}): ReactElement {
  const [kind, setKind] = useState<"program" | "address">(server?.command === null ? "address" : "program")
  const [candidate, setCandidate] = useState<{ readonly name: string; readonly server: McpChange }>()
  const [problem, setProblem] = useState<string>()
  const { put } = useServers()

  const look = (data: FormData): void => {
    const text = (field: string): string => String(data.get(field) ?? "").trim()
    const lines = (field: string): readonly string[] =>
      text(field)
        .split("\n")
        .map((line) => line.trim())
        .filter(Boolean)
    const name = server?.name ?? text("name")
    const env = pairs(lines("env"), "=")
    const headers = pairs(lines("headers"), ":")
    const wrong = !NAME.test(name)
      ? own.badName
      : names.includes(name)
        ? own.takenName(name)
        : env === undefined
          ? own.badEnv
          : headers === undefined
            ? own.badHeaders
            : undefined
    setProblem(wrong)
    if (wrong !== undefined || env === undefined || headers === undefined) return
    const isKept = (written: object): boolean => server !== undefined && Object.keys(written).length === 0
    const withEnv = isKept(env) ? {} : { env }
    const withHeaders = isKept(headers) ? {} : { headers }
    const withUrl = server && text("url") === "" ? {} : { url: text("url") }
    setCandidate({
      name,
      server:
        kind === "program"
          ? { command: text("command"), args: lines("args"), ...withEnv }
          : { ...withUrl, ...withHeaders },
    })
  }

  const title = server ? own.changeOf(server.name) : own.add
  return (
    <section className="panel" aria-label={title}>
      <h3>{title}</h3>
      <form
        className="form"
        hidden={candidate !== undefined}
        onSubmit={(event) => {
          event.preventDefault()
          look(new FormData(event.currentTarget))
        }}
      >
        {!server && (
          <>
            <fieldset className="choices">
              <legend>{own.kind}</legend>
              {(["program", "address"] as const).map((each) => (
                <label key={each} className={kind === each ? "choice chosen" : "choice"}>
                  <input type="radio" name="kind" checked={kind === each} onChange={() => setKind(each)} />
                  <span>
                    <strong>{own.kinds[each]}</strong>
                    <small>{own.kindHints[each]}</small>
                  </span>
                </label>
              ))}
            </fieldset>
            <Field label={own.name} name="name" required hint={own.nameHint} />
          </>
        )}
        {kind === "program" ? (
          <>
            <p className="risk">{own.programRisk}</p>
            <Field
              label={own.command}
              name="command"
              required
              placeholder="npx"
              defaultValue={server?.command ?? ""}
            />
            <Lines
              label={own.args}
              name="args"
              hint={own.argsHint}
              placeholder={own.argsExample}
              text={server?.args.join("\n")}
            />
            <Lines
              label={own.envLabel}
              name="env"
              hint={server ? own.keptHint(server.env.join(", ")) : own.envHint}
              placeholder="TOKEN=…"
            />
          </>
        ) : (
          <>
            <p className="risk">{own.addressRisk}</p>
            <Field
              label={own.url}
              name="url"
              type="url"
              required={!server}
              hint={server ? own.keptHint(server.host ?? "") : undefined}
              placeholder="https://mcp.example.org/mcp"
            />
            <Lines
              label={own.headersLabel}
              name="headers"
              hint={server ? own.keptHint(server.headers.join(", ")) : own.headersHint}
              placeholder="Authorization: Bearer …"
            />
          </>
        )}
        <FormFoot problem={problem} label={own.test} onCancel={onDone} />
      </form>
      {candidate !== undefined && (
        <>
          {candidate.server.command !== undefined && (
            <Program argv={[candidate.server.command, ...(candidate.server.args ?? [])]} />
          )}
          <McpTools
            name={candidate.name}
            server={candidate.server}
            tools={server?.tools ?? []}
            allow={server?.allow ?? []}
            submit={server ? words.save : own.addNow(candidate.name)}
            onCancel={() => setCandidate(undefined)}
            onSubmit={async (change) => {
              await put.mutateAsync({ name: candidate.name, change: { ...candidate.server, ...change } })
              toast(server ? words.saved : own.added(candidate.name))
              onDone()
            }}
          />
        </>
      )}
    </section>
  )
}

const Lines = ({
  label,
  name,
  hint,
  placeholder,
  text,
}: {
  readonly label: string
  readonly name: string
  readonly hint: string
  readonly placeholder: string
  readonly text?: string | undefined
}): ReactElement => (
  <div className="field">
    <label htmlFor={`mcp-${name}`}>{label}</label>
    <textarea
      id={`mcp-${name}`}
      name={name}
      rows={2}
      spellCheck={false}
      placeholder={placeholder}
      defaultValue={text}
      aria-describedby={`mcp-${name}-hint`}
    />
    <small id={`mcp-${name}-hint`}>{hint}</small>
  </div>
)

/** `NAME=value` lines as a table; undefined when one is none. */
function pairs(lines: readonly string[], sign: string): Readonly<Record<string, string>> | undefined {
  const entries = lines.map((line) => {
    const at = line.indexOf(sign)
    return at < 1 ? undefined : ([line.slice(0, at).trim(), line.slice(at + 1).trim()] as const)
  })
  return entries.every((entry) => entry !== undefined) ? Object.fromEntries(entries) : undefined
}
