import { useQuery } from "@tanstack/react-query"
import type { ReactElement } from "react"
import { useShared } from "../app/context.ts"
import { formatCost, t } from "../i18n/index.ts"
import { settingsApi } from "../settings/settings-api.ts"

/** What the person may still spend, by each limit of theirs: rows of a list of facts. */
export default function BudgetLeft(): ReactElement {
  const { me } = useShared()
  const { data } = useQuery({
    queryKey: ["usage"],
    queryFn: ({ signal }) => settingsApi.usage(signal),
  })
  const own = data?.people.find(({ namespace }) => namespace === me.namespace)
  const leftOf = (per: "day" | "month"): number | null | undefined =>
    own?.limits.find((limit) => limit.per === per && limit.unit === "usd")?.left
  return (
    <>
      {(["day", "month"] as const).map((per) => {
        const left = leftOf(per)
        if (typeof left !== "number") return null
        return (
          <div key={per}>
            <dt>{t.gauge.left[per]}</dt>
            <dd>{formatCost(Math.max(0, left))}</dd>
          </div>
        )
      })}
    </>
  )
}
