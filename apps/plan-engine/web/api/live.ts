import { useQueryClient } from "@tanstack/react-query"
import { EventSourceParserStream } from "eventsource-parser/stream"
import { useEffect, useState } from "react"
import { useKey } from "../app/session.ts"
import { ApiFailure, type Asked, request } from "./http.ts"
import type { LogEntry } from "./types.ts"

/** How long a broken stream is waited for, more each time. */
const PAUSES_MS = [500, 1_000, 2_000, 5_000, 10_000]
/** What changes at once is asked for once. */
const GATHER_MS = 100

export interface StreamEvent {
  readonly id: string | undefined
  readonly event: string
  readonly data: string
}

/** What the engine sends for one request, as it sends it. EventSource cannot send the key. @throws ApiFailure. */
export async function* streamed(key: string, path: string, asked: Asked): AsyncGenerator<StreamEvent> {
  const headers = { accept: "text/event-stream", ...asked.headers }
  const { body } = await request(key, path, { ...asked, headers })
  const events = body?.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())
  for await (const { id, event = "message", data } of events ?? []) yield { id, event, data }
}

/**
 * Follows a stream of the engine until the signal fires or it says `end`, from where it was when the connection breaks.
 */
async function follow(
  key: string,
  path: string,
  { signal, tell }: { readonly signal: AbortSignal; readonly tell: (event: StreamEvent) => void },
): Promise<void> {
  let last: string | undefined
  for (let tries = 0; !signal.aborted; tries++) {
    try {
      const headers = last === undefined ? {} : { "last-event-id": last }
      for await (const told of streamed(key, path, { signal, headers })) {
        tries = 0
        last = told.id ?? last
        tell(told)
        if (told.event === "end") return
      }
    } catch (error) {
      if (signal.aborted || error instanceof ApiFailure) return
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSES_MS[Math.min(tries, PAUSES_MS.length - 1)]))
  }
}

/** Shows every run as it is now, without looking again and again. */
export function useLiveRuns(): void {
  const key = useKey()
  const client = useQueryClient()
  useEffect(() => {
    const stop = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const changed = new Set<string>()
    const show = (): void => {
      timer = undefined
      void client.invalidateQueries({ queryKey: ["runs"] })
      void client.invalidateQueries({ queryKey: ["failures"] })
      for (const id of changed) void client.invalidateQueries({ queryKey: ["run", id] })
      changed.clear()
    }
    void follow(key, "/orchestrations/events", {
      signal: stop.signal,
      tell: ({ data }) => {
        changed.add((JSON.parse(data) as { readonly id: string }).id)
        timer ??= setTimeout(show, GATHER_MS)
      },
    })
    return () => {
      stop.abort()
      clearTimeout(timer)
    }
  }, [key, client])
}

/** The log of a run as it is written; what it says of the run is asked for again. */
export function useLiveLog(id: string): readonly LogEntry[] {
  const key = useKey()
  const client = useQueryClient()
  const [entries, setEntries] = useState<readonly LogEntry[]>([])
  useEffect(() => {
    const stop = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    let fresh: LogEntry[] = []
    const show = (): void => {
      timer = undefined
      const more = fresh
      fresh = []
      setEntries((before) => [...before, ...more])
      void client.invalidateQueries({ queryKey: ["run", id] })
    }
    setEntries([])
    void follow(key, `/orchestrations/${id}/log?follow`, {
      signal: stop.signal,
      tell: ({ event, data }) => {
        if (event === "entry") fresh.push(JSON.parse(data) as LogEntry)
        timer ??= setTimeout(show, GATHER_MS)
      },
    })
    return () => {
      stop.abort()
      clearTimeout(timer)
    }
  }, [key, client, id])
  return entries
}
