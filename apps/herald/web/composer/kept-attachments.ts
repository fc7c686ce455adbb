import { useEffect, useRef, useState } from "react"
import { ATTACHMENTS_DATABASE } from "../app/storage.ts"
import type { Attached } from "../chat/parts.ts"

const STORE = "attachments"

const result = <T>(asked: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result)
    asked.onerror = () => reject(asked.error)
  })

/** Does something with what is kept; where a browser keeps nothing, nothing. */
async function withStore<T>(
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T | undefined> {
  try {
    const opening = indexedDB.open(ATTACHMENTS_DATABASE)
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE)
    const database = await result(opening)
    try {
      return await result(work(database.transaction(STORE, mode).objectStore(STORE)))
    } finally {
      database.close()
    }
  } catch {
    return undefined
  }
}

/** What is attached to a chat's unsent message. It survives a reload: files are too large for where texts are kept. */
export function useAttachments(
  place: string,
): readonly [readonly Attached[], (change: (now: readonly Attached[]) => readonly Attached[]) => void] {
  const [attachments, setAttachments] = useState<readonly Attached[]>([])
  const now = useRef(attachments)
  useEffect(() => {
    let isCurrent = true
    void withStore<readonly Attached[] | undefined>("readonly", (store) => store.get(place)).then((kept) => {
      // What was attached meanwhile comes after it.
      if (!isCurrent || !kept) return
      now.current = [...kept, ...now.current]
      setAttachments(now.current)
    })
    return () => {
      isCurrent = false
    }
  }, [place])
  const change = (next: (now: readonly Attached[]) => readonly Attached[]): void => {
    now.current = next(now.current)
    setAttachments(now.current)
    const { current } = now
    if (current.length === 0) void withStore("readwrite", (store) => store.delete(place))
    else void withStore("readwrite", (store) => store.put(current, place))
  }
  return [attachments, change]
}
