import type { ReactElement } from "react"
import { Button } from "./button.tsx"

/** What a list that comes by pages ends with while there is more of it. */
export const ShowMore = ({
  found,
  label,
}: {
  readonly found: {
    readonly hasNextPage: boolean
    readonly isFetchingNextPage: boolean
    readonly fetchNextPage: () => Promise<unknown>
  }
  readonly label: string
}): ReactElement | null =>
  found.hasNextPage ? (
    <p>
      <Button onClick={() => void found.fetchNextPage()} disabled={found.isFetchingNextPage}>
        {label}
      </Button>
    </p>
  ) : null
