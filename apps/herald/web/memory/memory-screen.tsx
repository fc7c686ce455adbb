import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query"
import { type ReactElement, useDeferredValue, useState } from "react"
import { ApiError } from "../api/http.ts"
import { useShared } from "../app/context.ts"
import { navigate } from "../app/router.ts"
import { ErrorNote } from "../chat/error-note.tsx"
import { words } from "../i18n/en-memory.ts"
import { t } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { Icon } from "../ui/icons.tsx"
import { SearchField } from "../ui/search-field.tsx"
import { ShowMore } from "../ui/show-more.tsx"
import { toast } from "../ui/toast.tsx"
import { type Memory, type MemoryText, memoryApi } from "./memory-api.ts"
import { MemoryCard } from "./memory-card.tsx"
import { MemoryForm } from "./memory-form.tsx"
import "../styles/records.css"

/** What is remembered of whoever is logged in: found, added, corrected, forgotten. */
export default function MemoryScreen(): ReactElement {
  const { assistant } = useShared()
  const client = useQueryClient()
  const [text, setText] = useState("")
  const query = useDeferredValue(text.trim())
  const [isAdding, setAdding] = useState(false)
  const found = useInfiniteQuery({
    queryKey: ["memory", query],
    queryFn: ({ pageParam, signal }) => memoryApi.list(query, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.cursor,
    placeholderData: (before) => before,
  })
  const refresh = (): Promise<void> => client.invalidateQueries({ queryKey: ["memory"] })
  const undo = (change: number): void => {
    memoryApi.undo(change).then(
      async () => {
        await refresh()
        toast(words.back)
      },
      (error: Error) => toast(error.message),
    )
  }
  const edit = async (memory: Memory, next: MemoryText): Promise<void> => {
    const { change } = await memoryApi.edit(memory.id, next)
    await refresh()
    toast(words.saved, undoOf(change, undo))
  }
  const forget = (memory: Memory): void => {
    memoryApi.forget(memory.id).then(
      async ({ change }) => {
        await refresh()
        toast(words.forgotten, undoOf(change, undo))
      },
      (error: Error) => toast(error.message),
    )
  }

  if (found.error instanceof ApiError && found.error.status === 404)
    return <p className="note quiet-note">{words.off}</p>
  if (found.error) {
    const { message } = found.error
    const code = found.error instanceof ApiError ? found.error.code : "other"
    return <ErrorNote code={code} message={message} onRetry={() => void found.refetch()} />
  }
  const memories = found.data?.pages.flatMap((page) => page.memories) ?? []
  const isEmpty = found.isSuccess && memories.length === 0
  return (
    <>
      <p className="muted">{words.lead(assistant)}</p>
      <div className="record-bar">
        <SearchField label={words.search} value={text} onChange={setText} />
        <Button onClick={() => setAdding(true)} disabled={isAdding}>
          <Icon name="plus" size={18} />
          {words.add}
        </Button>
      </div>
      {isAdding && <NewMemory onDone={() => setAdding(false)} onAdded={refresh} onUndo={undo} />}
      {found.isPending && <p className="muted">{t.loading}</p>}
      {isEmpty && query !== "" && <p className="muted">{words.noMatch(query)}</p>}
      {isEmpty && query === "" && !isAdding && <Nothing />}
      {memories.length > 0 && (
        <ul className="records" aria-label={words.list} aria-busy={found.isFetching}>
          {memories.map((memory) => (
            <MemoryCard
              key={memory.id}
              memory={memory}
              onEdit={(next) => edit(memory, next)}
              onForget={() => forget(memory)}
            />
          ))}
        </ul>
      )}
      <ShowMore found={found} label={words.more} />
    </>
  )
}

const undoOf = (change: number | null, undo: (change: number) => void) =>
  change === null ? undefined : { label: t.undo, run: () => undo(change) }

function NewMemory({
  onDone,
  onAdded,
  onUndo,
}: {
  readonly onDone: () => void
  readonly onAdded: () => Promise<void>
  readonly onUndo: (change: number) => void
}): ReactElement {
  const [problem, setProblem] = useState<string>()
  const [isSaving, setSaving] = useState(false)
  const save = (text: MemoryText): void => {
    setSaving(true)
    memoryApi
      .add(text)
      .then(
        async ({ change }) => {
          await onAdded()
          onDone()
          toast(change === null ? words.known : words.saved, undoOf(change, onUndo))
        },
        (error: Error) => setProblem(error.message),
      )
      .finally(() => setSaving(false))
  }
  return (
    <section className="record" aria-label={words.add}>
      <MemoryForm
        initial={{ content: "", tags: [] }}
        problem={problem}
        isSaving={isSaving}
        onSave={save}
        onCancel={onDone}
      />
    </section>
  )
}

const Nothing = (): ReactElement => (
  <section className="records-empty">
    <h2>{words.emptyTitle}</h2>
    <p className="muted">{words.emptyLead}</p>
    <ul>
      {words.examples.map((example) => (
        <li key={example}>“{example}”</li>
      ))}
    </ul>
    <Button look="primary" onClick={() => navigate({ type: "new" })}>
      {words.newChat}
    </Button>
  </section>
)
