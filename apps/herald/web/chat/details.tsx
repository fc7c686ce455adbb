import type { ReactElement } from "react"
import { traceAt } from "../activity/place.ts"
import { PlaceLink } from "../app/place-link.tsx"
import { formatDuration, formatFullTime, formatNumber, formatPercent, t } from "../i18n/index.ts"
import { Icon } from "../ui/icons.tsx"
import { Popover } from "../ui/popover.tsx"
import type { AnswerItem } from "./items.ts"

/** What an answer took: model, tokens, time; and the way to its steps. */
export function Details({
  answer,
  namespace,
}: {
  readonly answer: AnswerItem
  readonly namespace: string
}): ReactElement {
  const { messages, end, runId } = answer
  const usage = messages.reduce(
    (sum, { usage: one }) => ({
      input: sum.input + (one?.inputTokens ?? 0),
      output: sum.output + (one?.outputTokens ?? 0),
      cached: sum.cached + (one?.cacheReadTokens ?? 0),
      written: sum.written + (one?.cacheWriteTokens ?? 0),
      isKnown: sum.isKnown || one !== undefined,
    }),
    { input: 0, output: 0, cached: 0, written: 0, isKnown: false },
  )
  const last = messages.at(-1)
  const models = [...new Set(messages.flatMap(({ model }) => (model === undefined ? [] : [model])))]
  const duration = end?.durationMs ?? last?.durationMs
  const rows: readonly (readonly [string, string])[] = [
    [t.details.model, models.join(", ") || answer.model || t.details.unknown],
    [t.details.time, formatFullTime(answer.at)],
    [t.details.duration, duration === undefined ? t.details.unknown : formatDuration(duration)],
    [t.details.calls, formatNumber(messages.length)],
    ...(usage.isKnown
      ? ([
          [t.details.input, formatNumber(usage.input)],
          [
            t.details.cached,
            `${formatNumber(usage.cached)} (${formatPercent(usage.input === 0 ? 0 : usage.cached / usage.input)})`,
          ],
          ...(usage.written > 0 ? ([[t.details.cacheWrite, formatNumber(usage.written)]] as const) : []),
          [t.details.output, formatNumber(usage.output)],
        ] as const)
      : ([[t.details.input, t.details.unknown]] as const)),
    ...(last?.finishReason ? ([[t.details.finish, t.details.reasons[last.finishReason]]] as const) : []),
  ]
  return (
    <Popover
      label={t.chat.details}
      className="icon-button"
      title={t.details.title}
      icon={<Icon name="info" size={18} />}
    >
      <dl className="facts">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p>
        <PlaceLink to={traceAt({ namespace, run: runId })}>{t.details.trace}</PlaceLink>
      </p>
    </Popover>
  )
}
