import type { UserPart } from "@orra/core"
import {
  type ClipboardEvent,
  type KeyboardEvent,
  lazy,
  type ReactElement,
  type RefObject,
  useLayoutEffect,
  useRef,
  useState,
} from "react"
import { enterSends, isSendKey } from "../app/storage.ts"
import { Attachment } from "../chat/attachment.tsx"
import { t } from "../i18n/index.ts"
import type { ExportFormat } from "../sessions/actions.ts"
import { Lazily } from "../ui/boundary.tsx"
import { IconButton } from "../ui/button.tsx"
import { Icon } from "../ui/icons.tsx"
import { Menu, MenuChoice } from "../ui/menu.tsx"
import { AgentPicker } from "./agent-picker.tsx"
import { ACCEPT, LONG_PASTE, readFile, textFile, tooMuch } from "./attachments.ts"
import { useDraft } from "./draft.ts"
import { useAttachments } from "./kept-attachments.ts"
import { useMentions } from "./mentions.tsx"
import { ModelPicker } from "./model-picker.tsx"
import { useCommands } from "./use-commands.ts"

const DictateButton = lazy(() => import("../voice/dictate-button.tsx"))

export type BusyMode = "queue" | "steer"

interface ComposerProps {
  readonly namespace: string
  /** Where the draft belongs: the chat's namespace, or "new". */
  readonly place: string
  readonly field: RefObject<HTMLTextAreaElement | null>
  readonly isRunning: boolean
  readonly isOffline: boolean
  readonly agent: string | undefined
  readonly onAgent: (agent: string | undefined) => void
  readonly model: string | undefined
  readonly onModel: (model: string | undefined) => void
  readonly busyMode: BusyMode
  readonly onBusyMode: (mode: BusyMode) => void
  readonly onSend: (parts: readonly UserPart[]) => void
  readonly onStop: () => void
  readonly onEditLast: () => void
  /** Undefined: there is nothing to download yet. */
  readonly onExport: ((format: ExportFormat) => void) | undefined
  /** Opens the search for a text. */
  readonly onSearch: (text: string) => void
  readonly onShortcuts: () => void
  /** How the chat is answered. */
  readonly options: ReactElement
  /** What the chat has taken so far. */
  readonly gauge: ReactElement | undefined
}

/** Where messages are written. */
export function Composer(props: ComposerProps): ReactElement {
  const { place, field, isRunning, isOffline, onSend, onStop, onEditLast } = props
  const [text, setText] = useDraft(place)
  const mentions = useMentions(text, setText, props)
  const commands = useCommands(text, setText, props)
  const [attachments, setAttachments] = useAttachments(place)
  const [reading, setReading] = useState<readonly string[]>([])
  const [problems, setProblems] = useState<readonly string[]>([])
  const [isDropping, setDropping] = useState(false)
  const picker = useRef<HTMLInputElement>(null)
  // A message does not leave without what is still being read for it.
  const isEmpty = (text.trim() === "" && attachments.length === 0) || reading.length > 0

  useLayoutEffect(() => grow(field.current), [text, field])

  /** What was said follows what is written by now. */
  const dictate = (said: string): void => {
    const before = field.current?.value ?? ""
    setText(before === "" || /\s$/.test(before) ? before + said : `${before} ${said}`)
    field.current?.focus()
  }

  const add = async (files: readonly File[]): Promise<void> => {
    setProblems([])
    field.current?.focus()
    for (const file of files) {
      setReading((names) => [...names, file.name])
      const added = await readFile(file)
      setReading((names) => names.toSpliced(names.indexOf(file.name), 1))
      setAttachments((now) => {
        const problem = typeof added === "string" ? added : tooMuch(now, added)
        if (problem !== undefined) setProblems((others) => [...new Set([...others, problem])])
        return problem === undefined && typeof added !== "string" ? [...now, added] : now
      })
    }
  }
  const send = (): void => {
    if (isEmpty) return
    onSend([...attachments, ...(text.trim() === "" ? [] : [{ type: "text", text } as const])])
    setText("")
    setAttachments(() => [])
    setProblems([])
  }
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    // While an input method composes, every key is its own. Safari says so only by the code 229.
    if (event.nativeEvent.isComposing || event.keyCode === 229) return
    if (mentions.onKeyDown(event) || commands.onKeyDown(event)) return
    if (isSendKey(event)) {
      event.preventDefault()
      send()
    } else if (event.key === "ArrowUp" && text === "" && attachments.length === 0) {
      event.preventDefault()
      onEditLast()
    }
  }
  const onPaste = (event: ClipboardEvent<HTMLTextAreaElement>): void => {
    const files = [...event.clipboardData.files]
    const pasted = event.clipboardData.getData("text/plain")
    if (files.length > 0 && pasted === "") {
      event.preventDefault()
      void add(files)
    } else if (pasted.length > LONG_PASTE) {
      event.preventDefault()
      void add([textFile(pasted)])
    }
  }

  return (
    <form
      className={isDropping ? "composer dropping" : "composer"}
      onSubmit={(event) => {
        event.preventDefault()
        if (!commands.accept()) send()
      }}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes("Files")) return
        event.preventDefault()
        setDropping(true)
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setDropping(false)
      }}
      onDrop={(event) => {
        event.preventDefault()
        setDropping(false)
        void add([...event.dataTransfer.files])
      }}
    >
      {attachments.length + reading.length > 0 && (
        <ul className="attachments" aria-label={t.composer.attachments}>
          {attachments.map((part, index) => (
            <li key={index} className="attachment">
              <Attachment part={part} />
              <IconButton
                icon="close"
                size={14}
                label={t.remove}
                onClick={() => {
                  setAttachments((now) => now.filter((_, at) => at !== index))
                  field.current?.focus()
                }}
              />
            </li>
          ))}
          {reading.map((name, index) => (
            <li key={`${index}${name}`} className="attachment">
              <span className="attached-file" role="status">
                <span className="spinner" aria-hidden="true" />
                <span className="attached-name">{t.composer.reading(name)}</span>
              </span>
            </li>
          ))}
        </ul>
      )}
      {mentions.list ?? commands.list}
      <textarea
        ref={field}
        {...mentions.props}
        {...commands.props}
        id="message"
        dir="auto"
        rows={1}
        value={text}
        aria-label={t.composer.label}
        placeholder={isOffline ? t.composer.placeholderOffline : t.composer.placeholder}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
        onPaste={onPaste}
        enterKeyHint={enterSends() ? "send" : "enter"}
      />
      <div className="composer-bar">
        <IconButton icon="attach" label={t.composer.attach} onClick={() => picker.current?.click()} />
        <input
          ref={picker}
          type="file"
          multiple
          accept={ACCEPT}
          className="off-screen"
          tabIndex={-1}
          aria-hidden="true"
          onChange={(event) => {
            void add([...(event.target.files ?? [])])
            event.target.value = ""
          }}
        />
        <Lazily without={null}>
          <DictateButton onText={dictate} />
        </Lazily>
        {props.options}
        {isRunning && <BusyMenu mode={props.busyMode} onChange={props.onBusyMode} />}
        <span className="spring" />
        {props.gauge}
        <AgentPicker agent={props.agent} onChange={props.onAgent} />
        <ModelPicker agent={props.agent} model={props.model} onChange={props.onModel} />
        {isRunning && (
          <IconButton
            icon="stop"
            className="stop-button"
            label={t.composer.stop}
            shortcut="Esc"
            onClick={onStop}
          />
        )}
        {(!isRunning || !isEmpty) && (
          <button
            type="submit"
            className="icon-button send-button"
            aria-label={t.composer.send}
            disabled={isEmpty}
          >
            <Icon name="send" />
          </button>
        )}
      </div>
      <div role="alert" className="problems">
        {problems.map((problem) => (
          <p key={problem}>{problem}</p>
        ))}
      </div>
      {isDropping && <div className="drop-hint">{t.composer.drop}</div>}
    </form>
  )
}

const BusyMenu = ({
  mode,
  onChange,
}: {
  readonly mode: BusyMode
  readonly onChange: (mode: BusyMode) => void
}): ReactElement => (
  <Menu
    side="top"
    align="start"
    trigger={
      <button type="button" className="model-button">
        <Icon name="queue" size={16} />
        <span className="model-name">{mode === "steer" ? t.composer.steer : t.composer.queue}</span>
      </button>
    }
  >
    <MenuChoice
      label={t.composer.whenBusy}
      value={mode}
      onChange={(value) => onChange(value === "steer" ? "steer" : "queue")}
      options={[
        { value: "queue", label: t.composer.queue },
        { value: "steer", label: t.composer.steer },
      ]}
    />
  </Menu>
)

/** As high as its text. Where the browser does that by itself (field-sizing), nothing is measured. */
function grow(field: HTMLTextAreaElement | null): void {
  if (!field || CSS.supports("field-sizing", "content")) return
  field.style.height = "auto"
  field.style.height = `${field.scrollHeight}px`
}
