import { useSyncExternalStore } from "react"

/** Where the page is: `#/runs/o_…` is the screen `runs` and the item `o_…`. Paths belong to the API. */
export interface Route {
  readonly screen: string
  readonly item: string
}

function subscribe(changed: () => void): () => void {
  addEventListener("hashchange", changed)
  return () => removeEventListener("hashchange", changed)
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => location.hash)
  const [screen = "", item = ""] = hash.replace(/^#\/?/, "").split("/")
  return { screen: screen || "runs", item: decodeURIComponent(item) }
}
