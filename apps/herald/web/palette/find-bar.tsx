import { useQuery } from "@tanstack/react-query"
import { type ReactElement, useDeferredValue, useEffect, useRef, useState } from "react"
import { api } from "../api/api.ts"
import { words } from "../i18n/en-palette.ts"
import { IconButton } from "../ui/button.tsx"
import "../styles/palette.css"

/** Finds in a chat, also in what is not loaded. The newest message comes first, as one stands at the end. */
export default function FindBar({
  namespace,
  onFound,
  onClose,
}: {
  readonly namespace: string
  readonly onFound: (seq: number) => void
  readonly onClose: () => void
}): ReactElement {
  const [text, setText] = useState("")
  const [at, setAt] = useState(0)
  const field = useRef<HTMLInputElement>(null)
  const query = useDeferredValue(text.trim())
  const { data, isFetching } = useQuery({
    queryKey: ["find", namespace, query],
    queryFn: ({ signal }) => api.findIn(namespace, `"${query.replaceAll('"', " ")}"`, signal),
    enabled: query !== "",
    staleTime: 5_000,
  })
  const hits = query === "" ? [] : (data?.hits ?? [])
  const seq = hits[at]?.seq
  const show = useRef(onFound)
  useEffect(() => {
    show.current = onFound
  })
  useEffect(() => {
    if (seq !== undefined) show.current(seq)
  }, [seq])
  useEffect(() => field.current?.focus(), [])
  const move = (by: number): void => {
    if (hits.length > 0) setAt((at + by + hits.length) % hits.length)
  }
  const said =
    query === "" || (isFetching && !data)
      ? ""
      : hits.length === 0
        ? words.nothing
        : words.found(at + 1, hits.length)
  return (
    <search className="find-bar">
      <input
        ref={field}
        type="text"
        value={text}
        aria-label={words.find}
        placeholder={words.find}
        onChange={(event) => {
          setText(event.target.value)
          setAt(0)
        }}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return
          if (event.key === "Enter") move(event.shiftKey ? -1 : 1)
          else if (event.key === "Escape") onClose()
          else return
          event.preventDefault()
          event.stopPropagation()
        }}
      />
      <span className="find-count" role="status">
        {said}
      </span>
      <IconButton icon="up" size={18} label={words.older} onClick={() => move(1)} />
      <IconButton icon="down" size={18} label={words.newer} onClick={() => move(-1)} />
      <IconButton icon="close" size={18} label={words.closeFind} onClick={onClose} />
    </search>
  )
}
