import { useQuery, useQueryClient } from "@tanstack/react-query"
import { type ReactElement, useState } from "react"
import { ApiError } from "../api/http.ts"
import { useShared } from "../app/context.ts"
import { ErrorNote } from "../chat/error-note.tsx"
import { words } from "../i18n/en-agents.ts"
import { t } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { Icon } from "../ui/icons.tsx"
import { toast } from "../ui/toast.tsx"
import { AgentCard, formOf } from "./agent-card.tsx"
import { AgentEditor } from "./agent-form.tsx"
import { type AgentForm, type AllAgents, agentsApi } from "./agents-api.ts"
import { AGENTS_KEY, isSame, type OwnAgent } from "./use-agents.ts"
import "../styles/records.css"
import "../styles/agents.css"

/** Who answers in this Herald. The owner makes, changes and deletes them; everybody sees whom they can ask. */
export default function AgentsScreen(): ReactElement {
  const { me } = useShared()
  const isOwner = me.permissions.includes("owner")
  const client = useQueryClient()
  const [isAdding, setAdding] = useState(false)
  const found = useQuery({ queryKey: AGENTS_KEY, queryFn: ({ signal }) => agentsApi.list(signal) })
  const show = (all: AllAgents): AllAgents => {
    client.setQueryData(AGENTS_KEY, all)
    return all
  }
  const failed = (error: Error): void => toast(error.message)
  const change = async ({ id, version }: OwnAgent, form: AgentForm): Promise<void> => {
    show(await agentsApi.change(id ?? "", version ?? 0, form))
    toast(words.saved(form.name))
  }
  const remove = (agent: OwnAgent): void => {
    const back = (): void => {
      agentsApi.create(formOf(agent)).then((all) => {
        show(all)
        toast(words.back(agent.name))
      }, failed)
    }
    agentsApi.remove(agent.id ?? "").then((all) => {
      const { default: standard } = show(all)
      toast(words.removed(agent.name, standard), { label: t.undo, run: back })
    }, failed)
  }
  const setDefault = ({ name }: OwnAgent): void => {
    agentsApi.setDefault(name).then((all) => {
      show(all)
      toast(words.isStandard(name))
    }, failed)
  }

  if (found.error) {
    const { message } = found.error
    const code = found.error instanceof ApiError ? found.error.code : "other"
    return <ErrorNote code={code} message={message} onRetry={() => void found.refetch()} />
  }
  if (!found.data) return <p className="muted">{t.loading}</p>
  const { default: standard, agents, hidden = [], tools = [], file } = found.data
  const owning = (agent: OwnAgent) => ({
    agent,
    tools,
    file: file ?? "",
    ...(agent.origin !== "peer" && { onStandard: () => setDefault(agent) }),
    ...(agent.id !== null && {
      onChange: (form: AgentForm) => change(agent, form),
      onRemove: () => remove(agent),
    }),
  })
  return (
    <>
      <p className="muted">{isOwner ? words.lead : words.leadOthers}</p>
      {isOwner && (
        <div className="record-bar">
          <Button onClick={() => setAdding(true)} disabled={isAdding}>
            <Icon name="plus" size={18} />
            {words.add}
          </Button>
        </div>
      )}
      {isAdding && (
        <NewAgent
          tools={tools}
          onDone={() => setAdding(false)}
          onCreate={async (form) => {
            show(await agentsApi.create(form))
            toast(words.saved(form.name))
          }}
        />
      )}
      <ul className="records" aria-label={words.list}>
        {agents.map((agent) => (
          <AgentCard
            key={agent.id ?? agent.name}
            agent={agent}
            isStandard={isSame(agent.name, standard)}
            owning={isOwner ? owning(agent) : undefined}
          />
        ))}
      </ul>
      {hidden.length > 0 && (
        <ul className="records">
          {hidden.map((agent) => (
            <AgentCard
              key={agent.id}
              agent={{ ...agent, personality: words.hidden(agent.name), can: [], asks: [] }}
              isStandard={false}
              owning={withoutStandard(owning({ ...agent, personality: "", can: [], asks: [] }))}
            />
          ))}
        </ul>
      )}
      {isOwner && agents.length === 1 && !isAdding && (
        <section className="records-empty">
          <h2>{words.emptyTitle}</h2>
          <p className="muted">{words.emptyLead}</p>
          <ul>
            {words.examples.map((example) => (
              <li key={example}>{example}</li>
            ))}
          </ul>
        </section>
      )}
    </>
  )
}

function withoutStandard<T extends { readonly onStandard?: unknown }>(owning: T): Omit<T, "onStandard"> {
  const { onStandard: _, ...rest } = owning
  return rest
}

const NOBODY: AgentForm = { name: "", personality: "", system_prompt: "", model: "", tools: ["*"] }

function NewAgent({
  tools,
  onDone,
  onCreate,
}: {
  readonly tools: readonly string[]
  readonly onDone: () => void
  readonly onCreate: (form: AgentForm) => Promise<void>
}): ReactElement {
  const [problem, setProblem] = useState<string>()
  const [isSaving, setSaving] = useState(false)
  const save = (form: AgentForm): void => {
    setSaving(true)
    onCreate(form)
      .then(onDone, (error: Error) => setProblem(error.message))
      .finally(() => setSaving(false))
  }
  return (
    <section className="record" aria-label={words.add}>
      <AgentEditor
        initial={NOBODY}
        tools={tools}
        problem={problem}
        isSaving={isSaving}
        onSave={save}
        onCancel={onDone}
      />
    </section>
  )
}
