import { plainly } from "@orra/core"
import { type UseMutationResult, useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { type ReactElement, useState } from "react"
import { words } from "../i18n/en-settings.ts"
import { t } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { toast } from "../ui/toast.tsx"
import { McpForm } from "./mcp-form.tsx"
import { McpTools } from "./mcp-tools.tsx"
import { type McpChange, type McpServer, type Servers, settingsApi } from "./settings-api.ts"
import { StateLine } from "./state-line.tsx"
import { Switch } from "./value-form.tsx"
import { Waiting } from "./waiting.tsx"

const own = words.mcp
const KEY = ["mcp-servers"]

/** While one connects they are looked at often, in ms. */
const CHANGING_MS = 1_500
const RESTING_MS = 20_000

const LOOKS = { off: "off", connecting: "busy", connected: "good", failed: "bad" } as const

/** Servers whose tools the assistant has. */
export function McpPart(): ReactElement {
  const [isAdding, setAdding] = useState(false)
  const { data, error } = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => settingsApi.servers(signal),
    refetchInterval: ({ state }) =>
      state.data?.servers.some((server) => server.state === "connecting") ? CHANGING_MS : RESTING_MS,
  })
  if (!data) return <Waiting error={error} />
  const { servers } = data
  return (
    <>
      <p className="muted">{own.lead}</p>
      {servers.length === 0 && !isAdding && (
        <div className="panel">
          <h3>{own.emptyTitle}</h3>
          <p>{own.emptyLead}</p>
          <pre className="argv">{own.example}</pre>
        </div>
      )}
      {servers.map((server) => (
        <ServerCard key={server.name} server={server} />
      ))}
      {isAdding ? (
        <McpForm names={servers.map(({ name }) => name)} onDone={() => setAdding(false)} />
      ) : (
        <div className="form-foot">
          <Button look="primary" onClick={() => setAdding(true)}>
            {own.add}
          </Button>
        </div>
      )}
    </>
  )
}

/** Everything that changes servers; what was shown is what the server answers. */
export function useServers(): {
  readonly put: UseMutationResult<Servers, Error, { readonly name: string; readonly change: McpChange }>
  readonly remove: UseMutationResult<Servers, Error, string>
} {
  const client = useQueryClient()
  const take = (servers: Servers): void => {
    client.setQueryData(KEY, servers)
  }
  const put = useMutation({
    mutationFn: ({ name, change }: { readonly name: string; readonly change: McpChange }) =>
      settingsApi.putServer(name, change),
    onSuccess: take,
  })
  const restore = (name: string): void => {
    settingsApi.restoreServer(name).then(take, (error: Error) => toast(error.message))
  }
  const remove = useMutation({
    mutationFn: settingsApi.removeServer,
    onSuccess: (servers, name) => {
      take(servers)
      toast(own.removed(name), { label: t.undo, run: () => restore(name) })
    },
  })
  return { put, remove }
}

function ServerCard({ server }: { readonly server: McpServer }): ReactElement {
  const { name, enabled, where, state, message, host, env, headers, present } = server
  const [isChoosing, setChoosing] = useState(false)
  const [isChanging, setChanging] = useState(false)
  const { put, remove } = useServers()
  const error = put.error ?? remove.error
  if (isChanging) return <McpForm server={server} onDone={() => setChanging(false)} />
  return (
    <section className="panel" aria-label={name}>
      <h3>{name}</h3>
      {server.command === null ? (
        <p>{own.at(host ?? "")}</p>
      ) : (
        <Program argv={[server.command, ...server.args]} />
      )}
      {env.length > 0 && <p className="hint">{own.env(env.join(", "))}</p>}
      {headers.length > 0 && <p className="hint">{own.headers(headers.join(", "))}</p>}
      {enabled && (
        <StateLine look={LOOKS[state]} label={own.states[state]}>
          {/* How many tools there are is said below. */}
          {state === "connected" && !message?.includes(";") ? null : message}
        </StateLine>
      )}
      {enabled && present.length > 0 && (
        <details>
          <summary>{own.present(present.length)}</summary>
          <ul className="tags">
            {present.map((tool) => (
              <li key={tool}>{tool}</li>
            ))}
          </ul>
        </details>
      )}
      {where === null ? (
        <Switch
          label={own.enabled}
          isOn={enabled}
          isFixed={put.isPending}
          onChange={(next) => put.mutate({ name, change: { enabled: next } })}
        />
      ) : (
        <p className="hint">{words.ofFile(where)}</p>
      )}
      <div role="alert">{error && <p className="form-error">{error.message}</p>}</div>
      {isChoosing ? (
        <McpTools
          name={name}
          tools={server.tools}
          allow={server.allow}
          submit={words.save}
          onCancel={() => setChoosing(false)}
          onSubmit={async (change) => {
            await put.mutateAsync({ name, change })
            setChoosing(false)
            toast(words.saved)
          }}
        />
      ) : (
        where === null && (
          <div className="form-foot">
            <Button onClick={() => setChoosing(true)}>{own.choose}</Button>
            <Button onClick={() => setChanging(true)}>{own.change}</Button>
            <Button look="quiet" disabled={remove.isPending} onClick={() => remove.mutate(name)}>
              {t.remove}
            </Button>
          </div>
        )
      )}
    </section>
  )
}

/** A program and its arguments as they are given to it: one a line, so that no space hides where one ends. */
export const Program = ({ argv }: { readonly argv: readonly string[] }): ReactElement => (
  <ol className="argv" aria-label={own.program}>
    {argv.map((part, index) => (
      <li key={index}>
        <code dir="ltr">{plainly(part)}</code>
      </li>
    ))}
  </ol>
)
