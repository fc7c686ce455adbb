import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query"
import { type ReactElement, type ReactNode, useId, useRef, useState } from "react"
import { request } from "../api/http.ts"
import { useShared } from "../app/context.ts"
import { useNow } from "../app/use-now.ts"
import { approvalsApi } from "../approvals/approvals-api.ts"
import { words } from "../i18n/en-chat-options.ts"
import { Button } from "../ui/button.tsx"
import { Icon } from "../ui/icons.tsx"
import { Popover } from "../ui/popover.tsx"
import { toast } from "../ui/toast.tsx"
import { useStandardModel } from "./model-picker.tsx"
import "../styles/chat-options.css"

type Effort = keyof typeof words.efforts

/** As the server answers. */
interface Options {
  readonly effort: Effort | null
  /** Empty where the model has none. */
  readonly efforts: readonly Effort[]
  readonly mode: "ask" | "read_only"
  readonly tools: readonly { readonly id: string; readonly on: boolean }[]
}

interface Patch {
  readonly effort?: Effort | null
  readonly mode?: Options["mode"]
  readonly off?: readonly string[]
}

interface ChatOptionsProps {
  readonly namespace: string
  /** Nothing was sent yet. */
  readonly isNew: boolean
  readonly agent: string | undefined
  readonly model: string | undefined
  readonly metadata: Readonly<Record<string, unknown>>
}

const MINUTES = [5, 15, 60, 240] as const

/** Nothing is approved before a time is chosen: the times do not come out of sight. */
const showWhole = (element: HTMLElement | null): void => element?.scrollIntoView({ block: "nearest" })

/** How much the model of a chat thinks, what the chat may do, and with which tools. */
export default function ChatOptions(props: ChatOptionsProps): ReactElement | null {
  const { namespace, agent, model } = props
  const standard = useStandardModel(agent)
  const client = useQueryClient()
  const path = `/api/sessions/${encodeURIComponent(namespace)}/options?${new URLSearchParams({ model: model ?? standard })}`
  // What another device has changed stands in the chat's metadata.
  const key = ["chat-options", path, JSON.stringify(props.metadata["options"])]
  const { data } = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => request<Options>("GET", path, undefined, signal),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    enabled: standard !== "",
  })
  // What was pressed is shown at once, and named on the button when it holds.
  const [pressed, setPressed] = useState<Patch>({})
  const last = useRef(Promise.resolve())
  if (!data) return null
  const shown = changed(data, pressed)
  const change = (patch: Patch): Promise<void> => {
    setPressed((before) => ({ ...before, ...patch }))
    const turn = last.current.then(async () => {
      try {
        client.setQueryData(key, await request<Options>("PATCH", path, patch))
      } catch (error) {
        toast((error as Error).message)
      }
      if (last.current === turn) setPressed({})
    })
    last.current = turn
    return turn
  }
  const off = data.tools.filter(({ on }) => !on).length
  const set = [
    ...(data.mode === "read_only" ? [words.isReadOnly] : []),
    ...(data.effort !== null && data.efforts.includes(data.effort) ? [words.thinks[data.effort]] : []),
    ...(off > 0 ? [words.off(off)] : []),
  ]
  return (
    <Popover
      label={words.label(set)}
      className={set.length > 0 ? "icon-button options-set" : "icon-button"}
      title={words.title}
      side="top"
      icon={<Icon name="settings" />}
    >
      <div className="chat-options">
        {data.efforts.length > 0 && (
          <Efforts options={shown} onChange={(effort) => void change({ effort })} />
        )}
        <Modes {...props} mode={shown.mode} onChange={change} />
        {data.tools.length > 0 && <Tools tools={shown.tools} onChange={(ids) => void change({ off: ids })} />}
      </div>
    </Popover>
  )
}

/** As it will be. */
const changed = (options: Options, { off, ...patch }: Patch): Options => ({
  ...options,
  ...patch,
  ...(off && { tools: options.tools.map(({ id }) => ({ id, on: !off.includes(id) })) }),
})

const Group = ({
  title,
  note,
  children,
}: {
  readonly title: string
  readonly note: string
  readonly children: ReactNode
}): ReactElement => {
  const id = useId()
  return (
    <fieldset aria-describedby={id}>
      <legend>{title}</legend>
      {children}
      <p id={id} className="muted">
        {note}
      </p>
    </fieldset>
  )
}

function Efforts({
  options: { effort, efforts },
  onChange,
}: {
  readonly options: Options
  readonly onChange: (effort: Effort | null) => void
}): ReactElement {
  const name = useId()
  return (
    <Group title={words.effort} note={words.effortNote}>
      <div className="options-row">
        {[null, ...efforts].map((each) => (
          <label key={each} className="option-chip">
            <input type="radio" name={name} checked={each === effort} onChange={() => onChange(each)} />
            {each === null ? words.usual : words.efforts[each]}
          </label>
        ))}
      </div>
    </Group>
  )
}

function Modes({
  namespace,
  isNew,
  metadata,
  mode,
  onChange,
}: ChatOptionsProps & {
  readonly mode: Options["mode"]
  readonly onChange: (patch: Patch) => Promise<void>
}): ReactElement {
  const { me } = useShared()
  const name = useId()
  const { approvesUntil: until } = metadata
  const now = useNow(1_000, until !== undefined)
  const isEverything = typeof until === "number" && until > now
  const [isChoosing, setChoosing] = useState(false)
  const shown = isChoosing || isEverything ? "everything" : mode
  const attempt = (work: Promise<unknown>): Promise<unknown> =>
    work.catch((error: Error) => toast(error.message))
  const choose = async (next: Options["mode"]): Promise<void> => {
    setChoosing(false)
    if (isEverything) await attempt(approvalsApi.askAgain(namespace))
    if (next !== mode) await onChange({ mode: next })
  }
  const everything = async (minutes: number): Promise<void> => {
    if (mode !== "ask") await onChange({ mode: "ask" })
    await attempt(approvalsApi.everything(namespace, minutes))
    setChoosing(false)
  }
  const option = (value: typeof shown, label: string, note: string, onChoose: () => void, isOff = false) => (
    <label className="option-choice">
      <input type="radio" name={name} checked={shown === value} disabled={isOff} onChange={onChoose} />
      <span>
        {label}
        <small>{note}</small>
      </span>
    </label>
  )
  return (
    <fieldset>
      <legend>{words.mode}</legend>
      {option("ask", words.ask, words.askNote, () => void choose("ask"))}
      {option("read_only", words.readOnly, words.readOnlyNote, () => void choose("read_only"))}
      {me.permissions.includes("approve") &&
        option(
          "everything",
          words.everything,
          isNew ? words.notBegun : words.everythingNote,
          () => setChoosing(true),
          isNew,
        )}
      {isChoosing && !isEverything && (
        // biome-ignore lint/a11y/useSemanticElements: it is a part of the fieldset it stands in
        <div role="group" className="options-row" aria-label={words.howLong} ref={showWhole}>
          {MINUTES.map((minutes) => (
            <Button key={minutes} onClick={() => void everything(minutes)}>
              {words.minutes[minutes]}
            </Button>
          ))}
        </div>
      )}
    </fieldset>
  )
}

const Tools = ({
  tools,
  onChange,
}: {
  readonly tools: Options["tools"]
  readonly onChange: (off: readonly string[]) => void
}): ReactElement => {
  const offAfter = (switched: string): readonly string[] =>
    tools.flatMap(({ id, on }) => ((id === switched ? !on : on) ? [] : [id]))
  return (
    <Group title={words.tools} note={words.toolsNote}>
      {tools.map(({ id, on }) => (
        <label key={id} className="option-tool">
          <span>{words.families[id] ?? words.server(id.replace(/^mcp:/, ""))}</span>
          <input type="checkbox" checked={on} onChange={() => onChange(offAfter(id))} />
        </label>
      ))}
    </Group>
  )
}
