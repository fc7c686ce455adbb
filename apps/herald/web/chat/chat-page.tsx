import type { UserMessage, UserPart } from "@orra/core"
import { lazy, type ReactElement, useEffect, useRef, useState } from "react"
import { useAgents } from "../agents/use-agents.ts"
import { api } from "../api/api.ts"
import { useConnectionStatus } from "../app/context.ts"
import { navigate, TEMPORARY } from "../app/router.ts"
import { enterSends, keep, recall } from "../app/storage.ts"
import { BelowChat } from "../approvals/below-chat.tsx"
import { GoneAgent } from "../composer/agent-picker.tsx"
import { type BusyMode, Composer } from "../composer/composer.tsx"
import { Gauge } from "../composer/gauge.tsx"
import { words } from "../i18n/en-sidebar.ts"
import { t } from "../i18n/index.ts"
import { useSessionActions } from "../sessions/actions.ts"
import { type Folder, foldersApi } from "../sessions/folders-api.ts"
import { useFolders } from "../sessions/use-folders.ts"
import { Lazily } from "../ui/boundary.tsx"
import { Button } from "../ui/button.tsx"
import { toast } from "../ui/toast.tsx"
import { Announcer } from "./announcer.tsx"
import type { ChatState } from "./chat-store.ts"
import { EmptyChat } from "./empty-chat.tsx"
import { ErrorNote } from "./error-note.tsx"
import { openQuestion } from "./open-question.ts"
import { Transcript } from "./transcript.tsx"
import { useChat } from "./use-chat.ts"

const ChatOptions = lazy(() => import("../composer/chat-options.tsx"))

interface ChatPageProps {
  readonly namespace: string
  /** Nothing has been sent yet: the address names no chat. */
  readonly isNew: boolean
  /** Of a new chat: the folder that it will be in. */
  readonly folderId: string | undefined
  /** The message that the address means; another object when it is meant once more. */
  readonly target: { readonly seq?: number } | undefined
  readonly isFinding: boolean
  readonly onFindEnd: () => void
  readonly onProvider: (() => void) | undefined
  readonly onSearch: (text: string) => void
  readonly onShortcuts: () => void
}

/** One chat: what was said, and the field to say more. */
export function ChatPage({
  namespace,
  isNew,
  folderId,
  target,
  isFinding,
  onFindEnd,
  onProvider,
  onSearch,
  onShortcuts,
}: ChatPageProps): ReactElement {
  const [store, state] = useChat(namespace, isNew)
  const { state: connection } = useConnectionStatus()
  const { view, status } = state
  const field = useRef<HTMLTextAreaElement>(null)
  const place = isNew ? "new" : namespace
  const [editing, setEditing] = useState<number>()
  const [model, setModel] = useChoice(`model.${place}`)
  const { find, default: standard } = useAgents()
  const [wanted, setWanted] = useChoice("agent.new")
  const { metadata } = view
  const { save } = useSessionActions(undefined)
  const folder = useFolders().find(folderId)
  const ofFolder = folder?.agent ?? undefined
  const agent = isNew
    ? (wanted ?? ofFolder)
    : typeof metadata["agent"] === "string"
      ? metadata["agent"]
      : undefined
  const [busyMode, setBusyMode] = useChoice("busy-mode")
  const isRunning = view.openRun !== undefined

  useEffect(() => {
    // On a touch screen this would open the keyboard over half of what there is to read.
    if (matchMedia("(pointer: fine)").matches) field.current?.focus()
  }, [])
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent): void => {
      if (
        event.key !== "Escape" ||
        event.defaultPrevented ||
        event.isComposing ||
        event.shiftKey ||
        !isRunning
      )
        return
      // An open dialog or menu takes Escape for itself.
      if (document.querySelector("dialog[open], [popover=manual][role]")) return
      event.preventDefault()
      void store.stop()
    }
    document.addEventListener("keydown", onKey)
    return () => document.removeEventListener("keydown", onKey)
  }, [store, isRunning])

  const send = async (parts: readonly UserPart[]): Promise<void> => {
    const asked = openQuestion(view)
    const [said, ...others] = parts
    // What is written while a question is open is its answer. What did not count is a message all the same.
    if (asked && said?.type === "text" && others.length === 0 && (await store.answer(asked, said.text)))
      return
    const whenBusy = busyMode === "steer" ? "steer" : "queue"
    const begins = isNew && wanted !== undefined && find(wanted) && { agent: wanted }
    if (folder) await begin(namespace, folder, wanted)
    void store.send({ parts, whenBusy, ...(model !== undefined && { model }), ...begins })
    if (!isNew) return
    setWanted(undefined)
    keep(`model.${namespace}`, model)
    keep("model.new", undefined)
    navigate({ type: "chat", namespace })
  }
  const edit = (seq: number | undefined): void => {
    setEditing(seq)
    if (seq === undefined) field.current?.focus()
  }
  const editLast = (): void => {
    const last = view.items.findLast((item) => item.type === "user" && !isNotice(item.message))
    if (last) setEditing(last.seq)
  }

  const lastAnswer = view.items.findLast((item) => item.type === "answer" && item.end !== undefined)
  const revision = lastAnswer?.key
  if (status === "missing") return <Missing />
  const isEmpty = view.items.length === 0 && state.outbox.length === 0 && view.queued.length === 0
  return (
    <>
      {isEmpty && status !== "loading" && status !== "failed" ? (
        <EmptyChat
          agent={agent}
          folder={folder}
          isTemporary={namespace.includes(TEMPORARY)}
          onPick={(prompt) => void send([{ type: "text", text: prompt }])}
        />
      ) : isEmpty ? (
        <Loading state={state} onRetry={() => void store.read()} />
      ) : (
        <Transcript
          store={store}
          state={state}
          editing={editing}
          target={target}
          isFinding={isFinding}
          onFindEnd={onFindEnd}
          onEdit={edit}
          onProvider={onProvider}
        />
      )}
      <div className="dock">
        <BelowChat namespace={namespace} />
        {state.actionError && status !== "failed" && (
          <div className="action-error" role="alert">
            <span>{state.actionError.message}</span>
            <Button look="quiet" onClick={() => store.clearError()}>
              {t.dismiss}
            </Button>
          </div>
        )}
        {view.failure && (
          <ErrorNote code={view.failure.failure.code} message={view.failure.failure.message} />
        )}
        <GoneAgent agent={agent} />
        <Composer
          namespace={namespace}
          place={place}
          field={field}
          isRunning={isRunning}
          isOffline={connection === "offline"}
          agent={agent}
          onAgent={(next) =>
            isNew ? setWanted(next ?? (ofFolder && standard)) : void store.chooseAgent(next)
          }
          model={model}
          onModel={setModel}
          busyMode={(busyMode as BusyMode | undefined) ?? "queue"}
          onBusyMode={setBusyMode}
          onSend={(parts) => void send(parts)}
          onStop={() => void store.stop()}
          onEditLast={editLast}
          onExport={isNew ? undefined : (format) => void save({ namespace, metadata }, format)}
          onSearch={onSearch}
          onShortcuts={onShortcuts}
          options={
            <Lazily without={null}>
              <ChatOptions key={namespace} {...{ namespace, isNew, agent, model, metadata }} />
            </Lazily>
          }
          gauge={
            revision === undefined || status === "new" ? undefined : (
              <Gauge namespace={namespace} revision={revision} isRunning={isRunning} />
            )
          }
        />
        <p className="composer-hint">{enterSends() ? t.composer.hint : t.composer.hintMod}</p>
      </div>
      <Announcer view={view} />
    </>
  )
}

/** Begins a chat in a folder, with another agent than that of the folder if one was chosen. */
async function begin(namespace: string, { id }: Folder, agent: string | undefined): Promise<void> {
  try {
    await foldersApi.file(namespace, id)
    if (agent !== undefined) await api.chooseAgent(namespace, agent)
  } catch (error) {
    // What was written is sent all the same.
    toast(words.notFiled((error as Error).message))
  }
}

/** Nobody has written it. */
const isNotice = ({ origin }: UserMessage): boolean => origin?.kind === "host" || origin?.kind === "schedule"

/** A choice that this browser remembers. */
function useChoice(key: string): readonly [string | undefined, (value: string | undefined) => void] {
  const [value, setValue] = useState(() => recall(key))
  return [
    value,
    (next) => {
      keep(key, next)
      setValue(next)
    },
  ]
}

const Loading = ({
  state,
  onRetry,
}: {
  readonly state: ChatState
  readonly onRetry: () => void
}): ReactElement => (
  <div className="centred" id="transcript">
    {state.status === "failed" ? (
      <ErrorNote
        code={state.actionError?.code ?? "internal"}
        message={state.actionError?.message ?? t.sessions.couldNotLoad}
        onRetry={onRetry}
      />
    ) : (
      <p className="muted">{t.loading}</p>
    )}
  </div>
)

const Missing = (): ReactElement => (
  <div className="centred" id="transcript">
    <h2>{t.sessions.missingTitle}</h2>
    <p className="muted">{t.sessions.missing}</p>
    <Button look="primary" onClick={() => navigate({ type: "new" })}>
      {t.sessions.new}
    </Button>
  </div>
)
