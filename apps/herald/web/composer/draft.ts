import { useCallback, useState } from "react"
import { keep, recall } from "../app/storage.ts"

/** A chat's unsent text, which survives a reload. `place` is the chat's namespace, or "new". */
export function useDraft(place: string): readonly [string, (text: string) => void] {
  const [draft, setDraft] = useState(() => ({ place, text: recall(`draft.${place}`) ?? "" }))
  const text = draft.place === place ? draft.text : (recall(`draft.${place}`) ?? "")
  const set = useCallback(
    (next: string) => {
      keep(`draft.${place}`, next === "" ? undefined : next)
      setDraft({ place, text: next })
    },
    [place],
  )
  return [text, set]
}
