import { type ReactElement, useEffect, useRef, useState } from "react"
import { words } from "../i18n/en-voice.ts"
import { IconButton } from "../ui/button.tsx"
import { toast } from "../ui/toast.tsx"
import { spokenPieces } from "./sentences.ts"
import { useVoice } from "./use-voice.ts"

/** Only one answer is read at a time. */
let reading: AbortController | undefined

/** Reads an answer aloud, where this Herald speaks. */
export default function ReadAloud({ text }: { readonly text: () => string }): ReactElement | null {
  const isOn = useVoice()
  const [state, setState] = useState<"idle" | "loading" | "speaking">("idle")
  const own = useRef<AbortController>(undefined)
  useEffect(() => () => own.current?.abort(), [])
  if (!isOn) return null
  const read = async (): Promise<void> => {
    const pieces = spokenPieces(text())
    if (pieces.length === 0) return
    reading?.abort()
    const controller = new AbortController()
    reading = controller
    own.current = controller
    setState("loading")
    try {
      await speak(pieces, controller.signal, () => setState("speaking"))
    } catch (error) {
      if (!controller.signal.aborted) toast(error instanceof Error ? error.message : String(error))
    } finally {
      setState("idle")
    }
  }
  const isIdle = state === "idle"
  return (
    <IconButton
      icon={isIdle ? "speaker" : "stop"}
      size={18}
      label={isIdle ? words.read : state === "loading" ? words.loading : words.stopReading}
      aria-pressed={!isIdle}
      onClick={() => (isIdle ? void read() : own.current?.abort())}
    />
  )
}

/** Says the pieces one after the other; the next is fetched while one is heard. The page's rules allow no audio element. */
async function speak(pieces: readonly string[], signal: AbortSignal, onSound: () => void): Promise<void> {
  const context = new AudioContext()
  try {
    let next = fetched(context, pieces[0] ?? "", signal)
    for (let index = 0; index < pieces.length; index++) {
      const sound = await next
      const following = pieces[index + 1]
      if (following !== undefined) {
        next = fetched(context, following, signal)
        // It is waited for later; that it failed is said then.
        next.catch(() => undefined)
      }
      onSound()
      await play(context, sound, signal)
    }
  } finally {
    await context.close()
  }
}

async function fetched(context: AudioContext, text: string, signal: AbortSignal): Promise<AudioBuffer> {
  const response = await fetch("/api/voice/speak", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text }),
    signal,
  })
  if (!response.ok) {
    const { error } = (await response.json()) as { readonly error?: string }
    throw new Error(error ?? `${response.status}`)
  }
  const sound = await response.arrayBuffer()
  try {
    return await context.decodeAudioData(sound)
  } catch {
    throw new Error(words.notPlayable)
  }
}

function play(context: AudioContext, sound: AudioBuffer, signal: AbortSignal): Promise<void> {
  const source = context.createBufferSource()
  source.buffer = sound
  source.connect(context.destination)
  const stop = (): void => source.stop()
  signal.addEventListener("abort", stop, { once: true })
  return new Promise((resolve, reject) => {
    source.onended = () => {
      signal.removeEventListener("abort", stop)
      if (signal.aborted) reject(signal.reason)
      else resolve()
    }
    source.start()
    if (signal.aborted) stop()
  })
}
