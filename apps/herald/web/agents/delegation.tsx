import { type ReactElement, useEffect, useMemo, useState, useSyncExternalStore } from "react"
import { api } from "../api/api.ts"
import { useShared } from "../app/context.ts"
import { useNow } from "../app/use-now.ts"
import { AnswerParts } from "../chat/answer-parts.tsx"
import { ChatStore } from "../chat/chat-store.ts"
import type { AnswerPart, Call } from "../chat/items.ts"
import { ToolCard, type ToolCardProps } from "../chat/tool-card.tsx"
import { words } from "../i18n/en-agents.ts"
import { formatCost, formatDuration, formatNumber, t } from "../i18n/index.ts"
import { latestSteps } from "../todo/steps.ts"
import { Button } from "../ui/button.tsx"
import { Icon } from "../ui/icons.tsx"
import { toast } from "../ui/toast.tsx"
import { type Branch, takenBy, useDelegations } from "./delegations.ts"
import "../styles/delegation.css"

const STYLES: Partial<Record<Branch["status"], string>> = {
  running: "running",
  waiting: "asking",
  completed: "ok",
}

/** A task that was handed on, in the place of its call: who has it, how it goes, what it may and took, and what came of it. */
export default function Delegation({
  runId,
  ...card
}: ToolCardProps & { readonly runId: string }): ReactElement {
  const { namespace } = card
  const branches = useDelegations(namespace, runId)
  const branch = branches.find(({ parent, call_id }) => parent === namespace && call_id === card.part.id)
  // It was refused, or has not begun.
  if (!branch) return <ToolCard {...card} />
  return <BranchCard branch={branch} all={branches} part={card.part} call={card.call} />
}

function BranchCard({
  branch,
  all,
  part,
  call,
}: {
  readonly branch: Branch
  readonly all: readonly Branch[]
  readonly part: Extract<AnswerPart, { readonly type: "tool_call" }>
  readonly call: Call | undefined
}): ReactElement {
  const { namespace, helper, status, can } = branch
  const isOpenRun = status === "running" || status === "waiting"
  const [isOpen, setOpen] = useState(false)
  const agent = helper ? words.helper(branch.agent ?? "") : (branch.agent ?? "")
  const task = taskOf(part.arguments ?? call?.intent?.arguments)
  const { tokens, usd, below } = takenBy(branch, all)
  const now = useNow(1_000, isOpenRun)
  const ms = Math.max(1_000, (branch.ended_at ?? now) - branch.started_at)
  const stop = (): void => {
    api.stop(namespace).catch((error: Error) => toast(error.message))
  }
  return (
    <div className={`tool-card branch ${STYLES[status] ?? "error"}`}>
      <div className="branch-head">
        <button type="button" className="tool-head" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          <Icon name="bot" size={18} />
          <span className="tool-summary">
            <span className="tool-title">{words.task(agent, firstLine(task))}</span>
            <span className="tool-status">
              {isOpenRun && <span className="spinner" aria-hidden="true" />}
              {words.status[status]} · {formatDuration(isOpenRun ? Math.floor(ms / 1_000) * 1_000 : ms)}
            </span>
          </span>
          <Icon name="down" size={14} />
        </button>
        {isOpenRun && (
          <Button look="quiet" aria-label={words.stopOf(agent)} onClick={stop}>
            <Icon name="stop" size={16} />
            {words.stop}
          </Button>
        )}
      </div>
      {isOpen && (
        <div className="branch-body">
          <dl className="facts">
            <div>
              <dt>{words.mayUse}</dt>
              <dd>
                <Rights can={can} />
              </dd>
            </div>
            <div>
              <dt>{words.taken}</dt>
              <dd>
                {[
                  words.tokens(formatNumber(tokens)),
                  usd === undefined ? words.costUnknown : words.cost(formatCost(usd)),
                  ...(below > 0 ? [words.withBelow(below)] : []),
                ].join(" · ")}
              </dd>
            </div>
            <div>
              <dt>{words.whole}</dt>
              <dd className="branch-task" dir="auto">
                {task}
              </dd>
            </div>
          </dl>
          <BranchLog namespace={namespace} />
        </div>
      )}
    </div>
  )
}

/** More names than this are folded. */
const FEW = 6

function Rights({ can }: Pick<Branch, "can">): ReactElement {
  const names = can.join(", ")
  if (can.length <= FEW) return <>{names || words.nothing}</>
  return (
    <details>
      <summary>{words.manyTools(formatNumber(can.length))}</summary>
      {names}
    </details>
  )
}

/** What the one who has the task does and says. It is read when it is opened, and followed while it is. */
function BranchLog({ namespace }: { readonly namespace: string }): ReactElement {
  const { connection } = useShared()
  const [store] = useState(() => new ChatStore(namespace, connection, false))
  const { view, status } = useSyncExternalStore(store.subscribe, store.state)
  const steps = useMemo(() => latestSteps(view.items), [view.items])
  useEffect(() => store.open(), [store])
  if (status === "loading") return <p className="muted">{t.loading}</p>
  return (
    <div className="branch-log">
      {view.items.map(
        (item) =>
          item.type === "answer" && (
            <AnswerParts
              key={item.key}
              answer={item}
              store={store}
              steps={steps}
              isLive={!item.end && view.openRun === item.runId}
              progress={view.progress}
            />
          ),
      )}
    </div>
  )
}

function taskOf(args: Readonly<Record<string, unknown>> | undefined): string {
  const task = args?.["task"]
  return typeof task === "string" ? task : ""
}

const firstLine = (text: string): string => text.trim().split("\n", 1)[0] ?? ""
