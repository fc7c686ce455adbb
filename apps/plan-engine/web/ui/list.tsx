import type { UseQueryResult } from "@tanstack/react-query"
import type { ReactElement, ReactNode } from "react"
import { Button, Failure } from "./parts.tsx"

/** What the engine has of something: its items, what there is instead of none, or why it could not be asked. */
export function Listed<T>({
  of,
  empty,
  children,
}: {
  readonly of: UseQueryResult<readonly T[]>
  readonly empty: ReactNode
  readonly children: (item: T) => ReactNode
}): ReactElement {
  if (of.error) return <Failure error={of.error} onRetry={() => void of.refetch()} />
  if (!of.data) return <p className="muted">Loading…</p>
  if (of.data.length === 0) return <>{empty}</>
  return <ul className="cards">{of.data.map(children)}</ul>
}

/** More of a list that has more. */
export const More = ({
  of,
}: {
  readonly of: {
    readonly hasNextPage: boolean
    readonly isFetchingNextPage: boolean
    readonly fetchNextPage: () => unknown
  }
}): ReactElement | null =>
  of.hasNextPage ? (
    <div className="actions">
      <Button disabled={of.isFetchingNextPage} onClick={() => of.fetchNextPage()}>
        Show more
      </Button>
    </div>
  ) : null
