import { useInfiniteQuery } from "@tanstack/react-query"
import { type ReactElement, useState } from "react"
import { ApiError } from "../api/http.ts"
import { useShared } from "../app/context.ts"
import { navigate } from "../app/router.ts"
import type { ScreenProps } from "../app/screens.tsx"
import { useNow } from "../app/use-now.ts"
import { ErrorNote } from "../chat/error-note.tsx"
import { words } from "../i18n/en-activity.ts"
import { dayOf, formatDay, t } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { ShowMore } from "../ui/show-more.tsx"
import { activityApi, type Filters, type Happened } from "./activity-api.ts"
import { ActivityRow, type OnChat } from "./activity-row.tsx"
import { Checks } from "./checks.tsx"
import { FilterBar } from "./filter-bar.tsx"
import { tracedIn } from "./place.ts"
import { TraceView } from "./trace-view.tsx"
import "../styles/records.css"
import "../styles/activity.css"

const NO_FILTERS: Filters = { kind: "", person: "", chat: "", tool: "", verdict: "", day: "" }

/** What happened, the newest first, or one run step by step. */
export default function ActivityScreen({ part }: ScreenProps): ReactElement {
  const traced = tracedIn(part)
  return traced ? <TraceView key={part} traced={traced} /> : <Activity />
}

function Activity(): ReactElement {
  const { assistant, me } = useShared()
  const now = useNow(60_000)
  const [filters, setFilters] = useState(NO_FILTERS)
  // Kept apart: nothing that names the chat may be left of what is shown.
  const [title, setTitle] = useState("")
  const onlyChat = (chat: string, title = chat): void => {
    setFilters({ ...NO_FILTERS, chat })
    setTitle(title)
  }
  const found = useInfiniteQuery({
    queryKey: ["activity", filters],
    queryFn: ({ pageParam, signal }) => activityApi.list(filters, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.cursor,
    placeholderData: (before) => before,
  })
  if (found.error && !found.data) {
    const code = found.error instanceof ApiError ? found.error.code : "other"
    return <ErrorNote code={code} message={found.error.message} onRetry={() => void found.refetch()} />
  }
  const first = found.data?.pages[0]
  if (!first) return <p className="muted">{t.loading}</p>
  const items = found.data?.pages.flatMap((page) => page.items) ?? []
  const isFiltered = Object.values(filters).some((value) => value !== "")
  if (items.length === 0 && !isFiltered && !found.hasNextPage) return <Nothing />
  const days = Map.groupBy(items, ({ at }) => dayOf(at))
  return (
    <>
      <p className="muted">{words.lead(assistant)}</p>
      {!first.audit && <p className="note quiet-note">{words.off}</p>}
      <FilterBar filters={filters} people={first.people} title={title} onChange={setFilters} />
      <Checks filters={filters} mayVerify={first.audit && me.permissions.includes("owner")} />
      {items.length === 0 && (
        <div className="activity-none">
          <p>{found.hasNextPage ? words.noMatchYet : words.noMatch}</p>
          <Button onClick={() => setFilters(NO_FILTERS)}>{words.all}</Button>
        </div>
      )}
      {[...days].map(([day, ofDay]) => (
        <Day
          key={day}
          title={formatDay(day, now)}
          items={ofDay}
          isOwner={first.people.length > 1}
          onChat={onlyChat}
        />
      ))}
      <ShowMore found={found} label={words.more} />
    </>
  )
}

const Day = ({
  title,
  items,
  isOwner,
  onChat,
}: {
  readonly title: string
  readonly items: readonly Happened[]
  readonly isOwner: boolean
  readonly onChat: OnChat
}): ReactElement => (
  <div className="activity-day">
    <h2>{title}</h2>
    <ol className="activity-rows" aria-label={words.on(title)}>
      {items.map((item) => (
        <ActivityRow key={item.id} item={item} isOwner={isOwner} onChat={onChat} />
      ))}
    </ol>
  </div>
)

const Nothing = (): ReactElement => (
  <section className="records-empty">
    <h2>{words.emptyTitle}</h2>
    <p>{words.emptyLead}</p>
    <div className="form-foot">
      <Button look="primary" onClick={() => navigate({ type: "new" })}>
        {words.newChat}
      </Button>
    </div>
  </section>
)
