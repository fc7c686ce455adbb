import { useQuery, useQueryClient } from "@tanstack/react-query"
import { lazy, type ReactElement, useEffect, useState } from "react"
import { api } from "../api/api.ts"
import { formatCost, formatNumber, formatPercent, t } from "../i18n/index.ts"
import { Lazily } from "../ui/boundary.tsx"
import { Button } from "../ui/button.tsx"
import { Popover } from "../ui/popover.tsx"
import { toast } from "../ui/toast.tsx"

const BudgetLeft = lazy(() => import("./budget-left.tsx"))

const RADIUS = 7
const AROUND = 2 * Math.PI * RADIUS
/** What a long chat takes is long to count: what is said in it comes first, in ms. */
const DELAY_MS = 1_500
/** From here on an answer may have to leave out the oldest messages. */
const NEARLY_FULL = 0.8

/** How much of the model's window the chat takes and what it has cost. `revision` changes with every answer. */
export function Gauge({
  namespace,
  revision,
  isRunning,
}: {
  readonly namespace: string
  readonly revision: string
  readonly isRunning: boolean
}): ReactElement | null {
  const client = useQueryClient()
  const [isWorking, setWorking] = useState(false)
  const [isDue, setDue] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setDue(true), DELAY_MS)
    return () => clearTimeout(timer)
  }, [])
  const { data } = useQuery({
    queryKey: ["usage", namespace, revision],
    queryFn: ({ signal }) => api.usage(namespace, signal),
    enabled: isDue,
    placeholderData: (before) => before,
    staleTime: Number.POSITIVE_INFINITY,
  })
  if (data?.context.used === undefined) return null
  const { usd, unpriced, context } = data
  const { used = 0, available, user, assistant, tools } = context
  const share = Math.min(1, used / available)
  const cost =
    unpriced === 0
      ? formatCost(usd)
      : usd === 0
        ? t.gauge.unknownCost
        : t.gauge.atLeast(formatCost(usd), unpriced)
  const other = Math.max(0, used - user - assistant - tools)
  const rows: readonly (readonly [string, string])[] = [
    [t.gauge.used, `${formatNumber(used)} / ${formatNumber(available)}`],
    [t.gauge.user, formatNumber(user)],
    [t.gauge.assistant, formatNumber(assistant)],
    [t.gauge.tools, formatNumber(tools)],
    [t.gauge.other, formatNumber(other)],
    [t.gauge.cost, cost],
  ]
  const compact = async (): Promise<void> => {
    setWorking(true)
    try {
      const { compacted } = await api.compact(namespace)
      toast(compacted ? t.gauge.compacted : t.gauge.nothing)
      await client.invalidateQueries({ queryKey: ["usage", namespace] })
    } catch (error) {
      toast(error instanceof Error ? error.message : (t.errors["other"] ?? ""))
    }
    setWorking(false)
  }
  return (
    <Popover
      label={t.gauge.label(formatPercent(share), cost)}
      className={share >= NEARLY_FULL ? "icon-button gauge full" : "icon-button gauge"}
      title={t.gauge.title}
      side="top"
      icon={
        <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
          <circle cx="10" cy="10" r={RADIUS} className="gauge-rest" />
          <circle
            cx="10"
            cy="10"
            r={RADIUS}
            className="gauge-used"
            strokeDasharray={`${share * AROUND} ${AROUND}`}
            transform="rotate(-90 10 10)"
          />
        </svg>
      }
    >
      <dl className="facts">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        <Lazily without={null}>
          <BudgetLeft />
        </Lazily>
      </dl>
      <Button disabled={isWorking || isRunning} onClick={() => void compact()}>
        {isWorking ? t.gauge.compacting : t.gauge.compact}
      </Button>
      <p className="muted gauge-note">{t.gauge.note}</p>
    </Popover>
  )
}
