import { useVirtualizer } from "@tanstack/react-virtual"
import { lazy, type ReactElement, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react"
import { formatDay, t } from "../i18n/index.ts"
import { latestSteps } from "../todo/steps.ts"
import { Lazily } from "../ui/boundary.tsx"
import { Button } from "../ui/button.tsx"
import { Icon } from "../ui/icons.tsx"
import { Answer, Waiting } from "./answer.tsx"
import type { ChatState, ChatStore } from "./chat-store.ts"
import { onPress } from "./long-press.ts"
import { OutboundRow, QueuedRow } from "./pending-rows.tsx"
import { type Row, rowsOf } from "./rows.ts"
import { UserMessage } from "./user-message.tsx"

const FindBar = lazy(() => import("../palette/find-bar.tsx"))

/** Nearer to the end than this counts as being there, in px. */
const AT_END = 32
/** Older messages are asked for this far before they are reached, in px. */
const NEAR_START = 1_200

interface TranscriptProps {
  readonly store: ChatStore
  readonly state: ChatState
  readonly editing: number | undefined
  /** The message that is to be shown; another object when it is meant once more. */
  readonly target: { readonly seq?: number } | undefined
  readonly isFinding: boolean
  readonly onFindEnd: () => void
  readonly onEdit: (seq: number | undefined) => void
  readonly onProvider: (() => void) | undefined
}

/** The conversation. Only what is near the window exists; it stays at the end while one is there. */
export function Transcript(props: TranscriptProps): ReactElement {
  const { store, state, editing, target, isFinding, onFindEnd, onEdit, onProvider } = props
  const { view, outbox, isLoadingOlder } = state
  const rows = useMemo(() => rowsOf({ view, outbox }), [view, outbox])
  const steps = useMemo(() => latestSteps(view.items), [view.items])
  const scroller = useRef<HTMLDivElement>(null)
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => estimate(rows[index]),
    getItemKey: (index) => rows[index]?.key ?? index,
    anchorTo: "end",
    followOnAppend: true,
    scrollEndThreshold: AT_END,
    overscan: 4,
    paddingStart: 24,
    paddingEnd: 24,
    initialOffset: () => Number.MAX_SAFE_INTEGER,
  })
  const [isAtEnd, setAtEnd] = useState(true)
  const [leftAt, setLeftAt] = useState<string>()

  const lastKey = rows.at(-1)?.key
  const hasRows = rows.length > 0
  useLayoutEffect(() => {
    if (hasRows) virtualizer.scrollToEnd()
  }, [hasRows, virtualizer])

  // A keyboard that opens, or a window that shrinks, must not hide the end.
  const wasAtEnd = useRef(true)
  wasAtEnd.current = isAtEnd
  useEffect(() => {
    const element = scroller.current
    if (!element) return
    const observer = new ResizeObserver(() => {
      if (wasAtEnd.current) virtualizer.scrollToEnd()
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [virtualizer])

  // Whoever sends something wants to see it.
  const sent = outbox.at(-1)?.inputId
  useEffect(() => {
    if (sent !== undefined) virtualizer.scrollToEnd()
  }, [sent, virtualizer])

  useEffect(() => {
    if (editing === undefined) return
    const index = rows.findIndex((row) => row.type === "item" && row.item.seq === editing)
    if (index >= 0) virtualizer.scrollToIndex(index, { align: "auto" })
    // Only when editing begins: rows change all the time.
  }, [editing])

  // A message that is meant is brought to the middle, from wherever it is.
  const [wanted, setWanted] = useState<{ readonly seq: number }>()
  const [found, setFound] = useState<string>()
  useEffect(() => {
    const seq = target?.seq
    if (seq !== undefined && hasRows) void store.reach(seq).then(() => setWanted({ seq }))
  }, [target, hasRows, store])
  useEffect(() => {
    if (!wanted) return
    const index = rows.findLastIndex((row) => row.type === "item" && row.item.seq <= wanted.seq)
    if (index < 0) return
    setFound(rows[index]?.key)
    virtualizer.scrollToIndex(index, { align: "center" })
    // Only when it is asked for: rows change all the time.
  }, [wanted])

  const onScroll = (): void => {
    const element = scroller.current
    if (!element) return
    const isNow = element.scrollHeight - element.scrollTop - element.clientHeight <= AT_END
    if (isNow !== isAtEnd) {
      setAtEnd(isNow)
      setLeftAt(isNow ? undefined : lastKey)
    }
    if (element.scrollTop < NEAR_START && view.hasMore) void store.loadOlder()
  }
  // A short window may need more to be full.
  const total = virtualizer.getTotalSize()
  useEffect(() => {
    const element = scroller.current
    if (element && view.hasMore && !isLoadingOlder && total < element.clientHeight + NEAR_START)
      void store.loadOlder()
  }, [total, view.hasMore, isLoadingOlder, store])

  const unseen =
    isAtEnd || leftAt === undefined ? 0 : rows.length - 1 - rows.findLastIndex(({ key }) => key === leftAt)
  const isLive = view.openRun !== undefined
  const now = Date.now()
  return (
    <div className="transcript">
      {/* Rows come and go while one scrolls, so what is new is said by the announcer and not by this log itself. */}
      <div
        ref={scroller}
        id="transcript"
        className="scroller"
        role="log"
        aria-label={t.chat.log}
        aria-live="off"
        aria-busy={isLive}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled with the keyboard
        tabIndex={0}
        onScroll={onScroll}
        onPointerDown={onPress}
      >
        <div className="rows" style={{ height: total }}>
          {isLoadingOlder && <p className="loading-older">{t.chat.loadingOlder}</p>}
          {virtualizer.getVirtualItems().map(({ index, key, start }) => {
            const row = rows[index]
            if (!row) return null
            return (
              <div
                key={key}
                ref={virtualizer.measureElement}
                data-index={index}
                className={key === found ? "row found" : "row"}
                style={{ transform: `translateY(${start}px)` }}
              >
                {row.day !== undefined && (
                  <div className="day">
                    <span>{formatDay(row.day, now)}</span>
                  </div>
                )}
                <RowView
                  row={row}
                  store={store}
                  state={state}
                  steps={steps}
                  editing={editing}
                  onEdit={onEdit}
                  onProvider={onProvider}
                />
              </div>
            )
          })}
        </div>
      </div>
      {isFinding && (
        <Lazily without={null}>
          <FindBar
            namespace={store.namespace}
            onFound={(seq) => void store.reach(seq).then(() => setWanted({ seq }))}
            onClose={() => {
              onFindEnd()
              document.getElementById("message")?.focus()
            }}
          />
        </Lazily>
      )}
      {!isAtEnd && (
        <Button className="jump" onClick={() => virtualizer.scrollToEnd({ behavior: smooth() })}>
          <Icon name="arrowDown" size={16} />
          {unseen > 0 ? t.chat.newMessages(unseen) : t.chat.jump}
        </Button>
      )}
    </div>
  )
}

const RowView = ({
  row,
  store,
  state: { view, progress },
  steps,
  editing,
  onEdit,
  onProvider,
}: Pick<TranscriptProps, "store" | "state" | "editing" | "onEdit" | "onProvider"> & {
  readonly row: Row
  readonly steps: string | undefined
}): ReactElement => {
  const isBusy = view.openRun !== undefined
  switch (row.type) {
    case "waiting":
      return <Waiting since={view.entries.at(-1)?.at ?? Date.now()} attempt={view.retry?.attempt} />
    case "queued":
      return <QueuedRow input={row.input} store={store} />
    case "outbound":
      return <OutboundRow message={row.message} progress={progress[row.message.inputId]} store={store} />
    case "item": {
      const { item, fork, isLast } = row
      if (item.type === "user") {
        return (
          <UserMessage
            item={item}
            store={store}
            fork={fork}
            isLast={isLast}
            isBusy={isBusy}
            isEditing={editing === item.seq}
            onEdit={onEdit}
          />
        )
      }
      const isLive = !item.end && view.openRun === item.runId && isLast
      return (
        <Answer
          answer={item}
          store={store}
          fork={fork}
          steps={steps}
          isLast={isLast}
          isLive={isLive}
          isBusy={isBusy}
          progress={isLive ? view.progress : NO_PROGRESS}
          retryAttempt={isLive ? view.retry?.attempt : undefined}
          onProvider={onProvider}
        />
      )
    }
  }
}

const NO_PROGRESS = {}

/** About as high as it will be, so that the scroll bar hardly moves when the truth is known. */
function estimate(row: Row | undefined): number {
  if (row?.type !== "item") return 64
  const { item } = row
  const parts = item.type === "user" ? item.message.parts : item.messages.flatMap((message) => message.parts)
  let height = item.type === "user" ? 72 : 64
  for (const part of parts) {
    if (part.type === "text")
      height += Math.ceil(part.text.length / 78) * 26 + (part.text.split("\n").length - 1) * 14
    else height += 52
  }
  return height
}

const smooth = (): "smooth" | "auto" =>
  matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth"
