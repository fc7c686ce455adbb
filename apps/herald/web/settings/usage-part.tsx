import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import type { ReactElement } from "react"
import { useShared } from "../app/context.ts"
import { words } from "../i18n/en-settings.ts"
import { formatCost, formatFullTime, formatNumber, t } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { toast } from "../ui/toast.tsx"
import { type LimitState, type Spender, settingsApi } from "./settings-api.ts"
import { useValues } from "./use-values.ts"
import { ValueForm } from "./value-form.tsx"

const own = words.usage
const KEY = ["usage"]
/** What is allowed at one press, in USD. */
const MORE = 1

/** What models have cost, each person's, and how much of it there may be. */
export function UsagePart(): ReactElement {
  const { me } = useShared()
  const { data, error } = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => settingsApi.usage(signal),
    refetchInterval: 30_000,
  })
  if (error) return <p className="form-error">{error.message}</p>
  if (!data) return <p className="muted">{t.loading}</p>
  const isOwner = me.permissions.includes("owner")
  return (
    <>
      <p className="hint">{own.lead}</p>
      {data.people.map((spender) => (
        <SpenderPanel
          key={spender.namespace}
          spender={spender.namespace === me.namespace ? { ...spender, name: own.you } : spender}
          mayGrant={isOwner}
        />
      ))}
      {isOwner && <Limits />}
    </>
  )
}

function SpenderPanel({
  spender: { name, namespace, limits },
  mayGrant,
}: {
  readonly spender: Spender
  readonly mayGrant: boolean
}): ReactElement {
  const client = useQueryClient()
  const grant = useMutation({
    mutationFn: (per: "day" | "month") => settingsApi.grant(namespace, per, MORE),
    onSuccess: (next) => {
      client.setQueryData(KEY, next)
      toast(own.granted)
    },
  })
  const of = (per: string, unit: string) => limits.find((each) => each.per === per && each.unit === unit)
  const spent = [of("day", "usd"), of("month", "usd")].filter((limit) => limit !== undefined)
  const calls = of("day", "modelCalls")?.spent ?? 0
  const tokens = of("day", "tokens")?.spent ?? 0
  return (
    <section className="panel" aria-label={name}>
      <h3>{name}</h3>
      {spent.map((limit) => (
        <Spent
          key={limit.per}
          limit={limit}
          onMore={mayGrant && limit.limit !== null ? () => grant.mutate(limit.per) : undefined}
          isPending={grant.isPending}
        />
      ))}
      <p className="hint">{own.today(formatNumber(calls), formatNumber(tokens))}</p>
      {spent.some(({ unpriced }) => unpriced) && <p className="note quiet-note">{own.unpriced}</p>}
      <div role="alert">{grant.error && <p className="form-error">{grant.error.message}</p>}</div>
    </section>
  )
}

/** From this share of a limit on it is shown as near. */
const NEAR = 0.8

function Spent({
  limit: { per, spent, limit, renews_at },
  onMore,
  isPending,
}: {
  readonly limit: LimitState
  readonly onMore: (() => void) | undefined
  readonly isPending: boolean
}): ReactElement {
  const label = own.per[per]
  if (limit === null) {
    return (
      <p className="spent">
        <span>{label}</span>
        <strong>{formatCost(spent)}</strong>
      </p>
    )
  }
  const share = limit === 0 ? 1 : spent / limit
  return (
    <div className="spent">
      <span>{label}</span>
      <strong>{own.of(formatCost(spent), formatCost(limit))}</strong>
      <meter
        aria-label={own.of(formatCost(spent), formatCost(limit))}
        min={0}
        max={1}
        low={NEAR}
        high={NEAR}
        optimum={0}
        value={Math.min(1, share)}
      />
      {renews_at !== null && <small className="spent-when">{own.renews(formatFullTime(renews_at))}</small>}
      {onMore && share >= NEAR && (
        <Button disabled={isPending} onClick={onMore}>
          {own.more(formatCost(MORE))}
        </Button>
      )}
    </div>
  )
}

function Limits(): ReactElement | null {
  const { data, value } = useValues()
  if (!data) return null
  return (
    <section className="panel" aria-label={own.limits}>
      <h3>{own.limits}</h3>
      <p className="hint">{own.limitsHint}</p>
      <ValueForm
        options={[
          { name: "budget.usd_per_run", label: own.perRun, kind: "number" },
          { name: "budget.usd_per_day", label: own.perDay, kind: "number" },
          { name: "budget.usd_per_month", label: own.perMonth, kind: "number" },
          { name: "budget.at_limit", label: own.atLimit, kind: "choice", choices: own.atLimits },
        ]}
        value={value}
      />
    </section>
  )
}
