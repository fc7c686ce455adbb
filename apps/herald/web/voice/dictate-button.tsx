import { type ReactElement, useEffect, useRef, useState } from "react"
import { request } from "../api/http.ts"
import { base64Of } from "../files/base64.ts"
import { words } from "../i18n/en-voice.ts"
import { IconButton } from "../ui/button.tsx"
import { toast } from "../ui/toast.tsx"
import { useVoice } from "./use-voice.ts"

type State = "idle" | "listening" | "writing"

/** After so long a recording ends by itself, in ms: the server takes no more. */
const MAX_MS = 10 * 60_000

/** Writes down what is said, where this Herald listens. */
export default function DictateButton({
  onText,
}: {
  readonly onText: (text: string) => void
}): ReactElement | null {
  const isOn = useVoice()
  const [state, setState] = useState<State>("idle")
  const recorder = useRef<MediaRecorder>(undefined)
  // Whoever leaves is no longer listened to.
  useEffect(
    () => () => {
      if (!recorder.current) return
      recorder.current.onstop = null
      for (const track of recorder.current.stream.getTracks()) track.stop()
    },
    [],
  )
  if (!isOn) return null

  const write = async (pieces: readonly Blob[]): Promise<void> => {
    setState("writing")
    try {
      const data = await base64Of(new Blob([...pieces]))
      const { text } = await request<{ readonly text: string }>("POST", "/api/voice/listen", { data })
      if (text.trim() === "") toast(words.nothingHeard)
      else onText(text.trim())
    } catch (error) {
      toast(error instanceof Error ? error.message : words.nothingHeard)
    } finally {
      setState("idle")
    }
  }
  const listen = async (): Promise<void> => {
    if (!navigator.mediaDevices) return toast(words.notSecure)
    let stream: MediaStream
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true })
    } catch {
      return toast(words.noMicrophone)
    }
    const pieces: Blob[] = []
    const next = new MediaRecorder(stream)
    const limit = setTimeout(() => next.stop(), MAX_MS)
    next.ondataavailable = ({ data }) => void pieces.push(data)
    next.onstop = () => {
      clearTimeout(limit)
      for (const track of stream.getTracks()) track.stop()
      void write(pieces)
    }
    recorder.current = next
    next.start()
    setState("listening")
  }
  const isListening = state === "listening"
  return (
    <>
      <IconButton
        icon={isListening ? "stop" : "mic"}
        className={isListening ? "stop-button" : ""}
        label={isListening ? words.stopDictating : state === "writing" ? words.writing : words.dictate}
        disabled={state === "writing"}
        onClick={() => (isListening ? recorder.current?.stop() : void listen())}
      />
      <span role="status" className="off-screen">
        {state === "idle" ? "" : isListening ? words.listening : words.writing}
      </span>
    </>
  )
}
