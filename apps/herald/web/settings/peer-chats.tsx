import { useMutation, useQuery } from "@tanstack/react-query"
import { type ReactElement, useId, useState } from "react"
import { words } from "../i18n/en-settings.ts"
import { formatFullTime } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { settingsApi } from "./settings-api.ts"
import { Waiting } from "./waiting.tsx"

const own = words.peers

/** The chats of another Herald that it shares. */
export function PeerChats({ peer }: { readonly peer: string }): ReactElement {
  const [chosen, setChosen] = useState<string>()
  const { data, error } = useQuery({
    queryKey: ["peer-chats", peer],
    queryFn: ({ signal }) => settingsApi.peerChats(peer, signal),
    retry: false,
  })
  if (!data) return <Waiting error={error} />
  if (chosen !== undefined)
    return <PeerChat peer={peer} namespace={chosen} onClose={() => setChosen(undefined)} />
  if (data.sessions.length === 0) return <p className="hint">{own.noChats}</p>
  return (
    <ul className="plain-list">
      {data.sessions.map(({ namespace, title, updated_at }) => (
        <li key={namespace}>
          <Button look="quiet" onClick={() => setChosen(namespace)}>
            {title ?? own.untitled}
          </Button>{" "}
          <small className="hint">{formatFullTime(updated_at)}</small>
        </li>
      ))}
    </ul>
  )
}

function PeerChat({
  peer,
  namespace,
  onClose,
}: {
  readonly peer: string
  readonly namespace: string
  readonly onClose: () => void
}): ReactElement {
  const id = useId()
  const [draft, setDraft] = useState("")
  const chat = useQuery({
    queryKey: ["peer-chat", peer, namespace],
    queryFn: ({ signal }) => settingsApi.peerChat(peer, namespace, signal),
  })
  const say = useMutation({
    mutationFn: (message: string) => settingsApi.sayToPeer(peer, namespace, message),
    onSuccess: async () => {
      setDraft("")
      await chat.refetch()
    },
  })
  return (
    <>
      <div className="form-foot">
        <Button look="quiet" onClick={onClose}>
          {own.back}
        </Button>
      </div>
      {chat.data ? (
        <ol className="plain-list">
          {chat.data.messages.map(({ role, text, at }) => (
            <li key={`${at} ${role}`} className="peer-message">
              <strong>{role === "user" ? own.said : own.answered}</strong>
              <p dir="auto">{text}</p>
            </li>
          ))}
        </ol>
      ) : (
        <Waiting error={chat.error} />
      )}
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault()
          if (draft.trim() !== "") say.mutate(draft)
        }}
      >
        <div className="field">
          <label htmlFor={id}>{own.write(peer)}</label>
          <textarea
            id={id}
            className="record-text"
            rows={2}
            dir="auto"
            value={draft}
            onChange={(event) => setDraft(event.target.value)}
          />
        </div>
        <div role="alert">{say.error && <p className="form-error">{say.error.message}</p>}</div>
        <div className="form-foot">
          <Button look="primary" type="submit" disabled={say.isPending || draft.trim() === ""}>
            {say.isPending ? own.sending : own.send}
          </Button>
        </div>
      </form>
    </>
  )
}
