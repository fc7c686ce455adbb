import { useMutation, useQuery } from "@tanstack/react-query"
import { type FormEvent, type ReactElement, type ReactNode, useEffect, useId, useRef, useState } from "react"
import { useAgents } from "../agents/use-agents.ts"
import { words } from "../i18n/en-schedules.ts"
import { Field } from "../ui/field.tsx"
import { FormFoot } from "../ui/form-foot.tsx"
import { PlaceField, placeOf } from "./place-field.tsx"
import { type Job, type Schedules, schedulesApi, type When } from "./schedules-api.ts"
import { browserZone } from "./times.ts"
import { WhenField } from "./when-field.tsx"

/** A job: a new one, or one that is changed. */
export function JobForm({
  job,
  schedules,
  onDone,
  onCancel,
}: {
  readonly job: Job | undefined
  readonly schedules: Schedules
  readonly onDone: (saved: Job) => void
  readonly onCancel: () => void
}): ReactElement {
  const id = useId()
  const [kind, setKind] = useState(job?.payload.type ?? "agent_turn")
  const [zone, setZone] = useState(zoneOf(job) ?? browserZone())
  const [when, setWhen] = useState<When>()
  const first = useRef<HTMLTextAreaElement>(null)
  useEffect(() => first.current?.focus(), [])
  const save = useMutation({
    mutationFn: (body: object) => (job ? schedulesApi.change(job.id, body) : schedulesApi.create(body)),
    onSuccess: onDone,
  })
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const data = new FormData(event.currentTarget)
    const text = (name: string): string => String(data.get(name) ?? "").trim()
    const number = (name: string, factor = 1): number | null =>
      text(name) === "" ? null : Number(text(name)) * factor
    const said = text("text")
    const isReminder = kind === "system_event"
    save.mutate({
      name: text("name") || [...said].slice(0, 60).join(""),
      payload: isReminder ? { type: kind, message: said } : { type: kind, prompt: said },
      to: placeOf(text("to")),
      ...when,
      ...changesOf({
        delivery: data.get("silent") === null ? "announce" : "silent",
        agent: text("agent") || null,
        lightweight: data.get("light") === null ? null : true,
        model: text("model") || null,
        cooldown_secs: number("cooldown", 60),
        max_concurrent: number("concurrent"),
        max_turns: number("steps"),
        missed: text("missed") || null,
      }),
    })
  }
  /** What a new job is without is left out; what a job is to lose is said. */
  const changesOf = (members: Readonly<Record<string, unknown>>): object =>
    job ? members : Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null))

  return (
    <form
      className="form record-form job-form"
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.nativeEvent.isComposing) return
        event.stopPropagation()
        onCancel()
      }}
    >
      <h2 className="job-title">{job ? words.editTitle(job.name) : words.newTitle}</h2>
      <fieldset className="choices">
        <legend>{words.what}</legend>
        {(["agent_turn", "system_event"] as const).map((value) => (
          <label key={value} className={kind === value ? "choice chosen" : "choice"}>
            <input type="radio" name="kind" checked={kind === value} onChange={() => setKind(value)} />
            <span>
              <strong>{value === "agent_turn" ? words.ask : words.remind}</strong>
              <small>{value === "agent_turn" ? words.askHint : words.remindHint}</small>
            </span>
          </label>
        ))}
      </fieldset>
      <div className="field">
        <label htmlFor={id}>{kind === "agent_turn" ? words.prompt : words.message}</label>
        <textarea
          id={id}
          name="text"
          className="record-text"
          rows={2}
          required
          maxLength={32_000}
          dir="auto"
          defaultValue={job && textOf(job)}
          ref={first}
          aria-describedby={`${id}-hint`}
        />
        <small id={`${id}-hint`}>{kind === "agent_turn" && words.promptHint}</small>
      </div>
      <WhenField current={job} zone={zone} onChange={setWhen} />
      <Field label={words.name} name="name" maxLength={100} hint={words.nameHint} defaultValue={job?.name} />
      <PlaceField current={job?.to} />
      <details className="job-more">
        <summary>{words.moreOptions}</summary>
        <div className="form">
          <More job={job} kind={kind} zone={zone} onZone={setZone} cheapModel={schedules.cheap_model} />
        </div>
      </details>
      <FormFoot
        problem={save.error?.message}
        label={job ? words.save : words.create}
        isOff={save.isPending}
        onCancel={onCancel}
      />
    </form>
  )
}

const textOf = ({ payload }: Job): string =>
  payload.type === "agent_turn" ? payload.prompt : payload.message

const zoneOf = (job: Job | undefined): string | undefined =>
  job && job.schedule.type !== "every" ? job.schedule.timezone : undefined

function More({
  job,
  kind,
  zone,
  onZone,
  cheapModel,
}: {
  readonly job: Job | undefined
  readonly kind: Job["payload"]["type"]
  readonly zone: string
  readonly onZone: (zone: string) => void
  readonly cheapModel: string | null
}): ReactElement {
  const id = useId()
  const { data: zones = [] } = useQuery({
    queryKey: ["time-zones"],
    queryFn: () => Intl.supportedValuesOf("timeZone"),
    staleTime: Number.POSITIVE_INFINITY,
  })
  return (
    <>
      <Field
        label={words.zone}
        list={`${id}-zones`}
        value={zone}
        onChange={(event) => onZone(event.target.value)}
      />
      <datalist id={`${id}-zones`}>
        {zones.map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
      {kind === "agent_turn" && (
        <>
          <Who current={job?.agent} />
          <Check name="light" isOn={job?.lightweight === true}>
            {words.light} {cheapModel === null ? words.lightUsual : words.lightBy(cheapModel)}
          </Check>
          <Check name="silent" isOn={job?.delivery === "silent"}>
            {words.silent}
          </Check>
          <Field label={words.model} name="model" hint={words.modelHint} defaultValue={job?.model} />
          <Field
            label={words.steps}
            name="steps"
            type="number"
            min={1}
            max={1_000}
            hint={words.stepsHint}
            defaultValue={job?.max_turns}
          />
          <Field
            label={words.concurrent}
            name="concurrent"
            type="number"
            min={1}
            max={100}
            placeholder="1"
            defaultValue={job?.max_concurrent}
          />
        </>
      )}
      <Field
        label={words.cooldown}
        name="cooldown"
        type="number"
        min={0}
        step="any"
        placeholder="0"
        defaultValue={job?.cooldown_secs === undefined ? undefined : job.cooldown_secs / 60}
      />
      <div className="field">
        <label htmlFor={`${id}-missed`}>{words.missed}</label>
        <select id={`${id}-missed`} name="missed" defaultValue={job?.missed ?? "once"}>
          {(["once", "all", "skip"] as const).map((each) => (
            <option key={each} value={each}>
              {words.missedKinds[each]}
            </option>
          ))}
        </select>
      </div>
    </>
  )
}

/** Which of several agents is asked. */
function Who({ current = "" }: { readonly current: string | undefined }): ReactElement | null {
  const id = useId()
  const { agents, default: usual } = useAgents()
  if (agents.length < 2 && current === "") return null
  const names = agents.map(({ name }) => name).filter((name) => name !== current)
  return (
    <div className="field">
      <label htmlFor={id}>{words.who}</label>
      <select id={id} name="agent" defaultValue={current}>
        <option value="">{words.whoUsual(usual)}</option>
        {[current, ...names]
          .filter((name) => name !== "")
          .map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
      </select>
    </div>
  )
}

const Check = ({
  name,
  isOn,
  children,
}: {
  readonly name: string
  readonly isOn: boolean
  readonly children: ReactNode
}): ReactElement => (
  <label className="job-check">
    <input type="checkbox" name={name} defaultChecked={isOn} />
    <span>{children}</span>
  </label>
)
