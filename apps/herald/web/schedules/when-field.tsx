import { useQuery } from "@tanstack/react-query"
import { type ReactElement, useDeferredValue, useEffect, useId, useState } from "react"
import { useNow } from "../app/use-now.ts"
import { words } from "../i18n/en-schedules.ts"
import { formatFullTime } from "../i18n/index.ts"
import { Field } from "../ui/field.tsx"
import { type Job, schedulesApi, type When } from "./schedules-api.ts"
import { browserZone, formatMoment } from "./times.ts"

const HOWS = ["words", "at", "every", "cron"] as const
type How = (typeof HOWS)[number]
const UNITS = { minutes: 60_000, hours: 3_600_000, days: 86_400_000 } as const
type Unit = keyof typeof UNITS

/** When a job is done: in words, or by fields. What is understood and the next three times stand below. */
export function WhenField({
  current,
  zone,
  onChange,
}: {
  /** Whose schedule is kept while nothing is said. */
  readonly current: Job | undefined
  readonly zone: string
  readonly onChange: (when: When | undefined) => void
}): ReactElement {
  const id = useId()
  const [how, setHow] = useState<How>("words")
  const [text, setText] = useState("")
  const [count, setCount] = useState("30")
  const [unit, setUnit] = useState<Unit>("minutes")
  const when = whenOf({ how, text: text.trim(), count: Number(count), unit, zone })
  const key = JSON.stringify(when ?? null)
  useEffect(() => onChange(when), [key])
  const choose = (next: How): void => {
    setHow(next)
    setText("")
  }
  return (
    <fieldset className="job-when">
      <legend>{words.when}</legend>
      <div className="field">
        <label htmlFor={id}>{words.how}</label>
        <select id={id} value={how} onChange={(event) => choose(event.target.value as How)}>
          {HOWS.map((each) => (
            <option key={each} value={each}>
              {words.hows[each]}
            </option>
          ))}
        </select>
      </div>
      {how === "words" && (
        <Field
          label={words.inWords}
          value={text}
          maxLength={200}
          required={!current}
          hint={current ? words.keepHint(current.words) : words.inWordsHint}
          onChange={(event) => setText(event.target.value)}
        />
      )}
      {how === "at" && (
        <Field
          label={words.at}
          type="datetime-local"
          required
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      )}
      {how === "every" && (
        <div className="job-every">
          <Field
            label={words.every}
            type="number"
            min={1}
            required
            value={count}
            onChange={(event) => setCount(event.target.value)}
          />
          <div className="field">
            <label htmlFor={`${id}-unit`}>{words.unit}</label>
            <select id={`${id}-unit`} value={unit} onChange={(event) => setUnit(event.target.value as Unit)}>
              {(Object.keys(UNITS) as Unit[]).map((each) => (
                <option key={each} value={each}>
                  {words.units[each]}
                </option>
              ))}
            </select>
          </div>
        </div>
      )}
      {how === "cron" && (
        <Field
          label={words.cron}
          value={text}
          required
          maxLength={256}
          className="job-cron"
          hint={words.cronHint}
          onChange={(event) => setText(event.target.value)}
        />
      )}
      <Times when={when ?? (current && { schedule: current.schedule, timezone: zone })} zone={zone} />
    </fieldset>
  )
}

function whenOf(said: {
  readonly how: How
  readonly text: string
  readonly count: number
  readonly unit: Unit
  readonly zone: string
}): When | undefined {
  const { how, text, count, unit, zone: timezone } = said
  if (how === "every") return { schedule: { type: "every", interval_ms: count * UNITS[unit] }, timezone }
  if (text === "") return undefined
  if (how === "words") return { when: text, timezone }
  if (how === "cron") return { schedule: { type: "cron", expression: text, timezone }, timezone }
  return { schedule: { type: "at", datetime: text.length === 16 ? `${text}:00` : text, timezone }, timezone }
}

/** What the server makes of it. */
function Times({ when, zone }: { readonly when: When | undefined; readonly zone: string }): ReactElement {
  const asked = useDeferredValue(when)
  const now = useNow(60_000)
  const { data, error } = useQuery({
    queryKey: ["schedules", "preview", JSON.stringify(asked ?? null)],
    queryFn: ({ signal }) => schedulesApi.preview(asked ?? { when: "", timezone: zone }, signal),
    enabled: asked !== undefined,
    placeholderData: (before) => (asked === undefined ? undefined : before),
  })
  return (
    <div className="job-times" role="status">
      {asked && error && <p className="form-error">{error.message}</p>}
      {asked && !error && data && (
        <dl>
          <dt>{words.understood}</dt>
          <dd>
            {data.words}
            {zone !== browserZone() && data.schedule.type !== "every" && ` ${words.inZone(zone)}`}
          </dd>
          <dt>{words.nextTimes}</dt>
          <dd>
            <ol>
              {data.times.map((time) => (
                <li key={time}>
                  <time dateTime={time} title={formatFullTime(Date.parse(time))}>
                    {formatMoment(time, now)}
                  </time>
                </li>
              ))}
            </ol>
          </dd>
        </dl>
      )}
    </div>
  )
}
