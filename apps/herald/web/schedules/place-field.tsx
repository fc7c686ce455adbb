import { useQuery } from "@tanstack/react-query"
import { type ReactElement, useId } from "react"
import { api } from "../api/api.ts"
import { useShared } from "../app/context.ts"
import { words } from "../i18n/en-schedules.ts"
import { titleOf } from "../sessions/use-sessions.ts"
import { type Place, schedulesApi } from "./schedules-api.ts"

/** Where what comes of a job goes: a chat of its own, any other, or a channel in Discord. */
export function PlaceField({ current }: { readonly current: Place | undefined }): ReactElement {
  const id = useId()
  const { me } = useShared()
  const chats = useQuery({
    queryKey: ["schedules", "chats"],
    queryFn: ({ signal }) => api.sessions({}, signal),
  })
  const channels = useQuery({
    queryKey: ["schedules", "channels"],
    queryFn: ({ signal }) => schedulesApi.channels(signal),
    enabled: me.permissions.includes("owner"),
    staleTime: 60_000,
  })
  const chosen = choiceOf(current ?? { type: "own" })
  const inChats = (chats.data?.sessions ?? []).map((session) => ({
    value: choiceOf({ type: "chat", namespace: session.namespace }),
    label: titleOf(session) ?? words.untitled,
  }))
  const inDiscord = (channels.data?.channels ?? []).map(({ id: channel, name, guild }) => ({
    value: choiceOf({ type: "channel", id: channel }),
    label: `#${name}, ${guild}`,
  }))
  const known = new Set(["own", ...[...inChats, ...inDiscord].map(({ value }) => value)])
  return (
    <div className="field">
      <label htmlFor={id}>{words.where}</label>
      {/* What there is to choose from comes later than the form: the choice is kept by its key. */}
      <select id={id} name="to" key={known.size} defaultValue={chosen}>
        <option value="own">{words.ownChat}</option>
        {!known.has(chosen) && <option value={chosen}>{chosen}</option>}
        <Options label={words.chats} options={inChats} />
        <Options label={words.channels} options={inDiscord} />
      </select>
      {channels.error && <small>{words.noChannels(channels.error.message)}</small>}
    </div>
  )
}

const Options = ({
  label,
  options,
}: {
  readonly label: string
  readonly options: readonly { readonly value: string; readonly label: string }[]
}): ReactElement | null =>
  options.length === 0 ? null : (
    <optgroup label={label}>
      {options.map(({ value, label: text }) => (
        <option key={value} value={value}>
          {text}
        </option>
      ))}
    </optgroup>
  )

const choiceOf = (place: Place): string =>
  place.type === "own" ? "own" : `${place.type}:${place.type === "chat" ? place.namespace : place.id}`

/** The place that a choice means. */
export function placeOf(value: string): Place {
  const [type, ...rest] = value.split(":")
  if (type === "chat") return { type, namespace: rest.join(":") }
  return type === "channel" ? { type, id: rest.join(":") } : { type: "own" }
}
