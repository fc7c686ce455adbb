import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { type ReactElement, useState } from "react"
import { words } from "../i18n/en-settings.ts"
import { formatFullTime } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { PeerChats } from "./peer-chats.tsx"
import { type Peer, settingsApi } from "./settings-api.ts"
import { StateLine } from "./state-line.tsx"
import { Waiting } from "./waiting.tsx"

const own = words.peers
const KEY = ["peers"]
const LOOK_MS = 20_000

const LOOKS = { unknown: "busy", healthy: "good", unreachable: "bad", refused: "bad", asks: "off" } as const

/** Other Heralds: how they are, whom they have, and what they share. */
export function PeersPart(): ReactElement {
  const client = useQueryClient()
  const { data, error } = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => settingsApi.peers(signal),
    refetchInterval: LOOK_MS,
  })
  const look = useMutation({
    mutationFn: settingsApi.lookAtPeers,
    onSuccess: (peers) => client.setQueryData(KEY, peers),
  })
  if (!data) return <Waiting error={error} />
  const { enabled, instance, url, peers, found } = data
  return (
    <>
      <p className="muted">{own.lead}</p>
      {enabled && instance !== null && (
        <p className="hint">{url === null ? own.nobody(instance) : own.listens(instance, url)}</p>
      )}
      <div role="alert">{data.error && <p className="form-error">{data.error}</p>}</div>
      {peers.length === 0 && (
        <div className="panel">
          <h3>{enabled ? own.none : own.off}</h3>
          <p>{own.how}</p>
          <pre className="argv">{own.example(instance ?? "home")}</pre>
        </div>
      )}
      {peers.map((peer) => (
        <PeerPanel key={peer.name} peer={peer} />
      ))}
      {found.length > 0 && (
        <section className="panel" aria-label={own.found}>
          <h3>{own.found}</h3>
          <p className="hint">{own.foundHint}</p>
          <ul className="plain-list">
            {found.map((each) => (
              <li key={each.name}>
                {each.name} <code>{each.url}</code>
              </li>
            ))}
          </ul>
        </section>
      )}
      {peers.some((peer) => peer.url !== null) && (
        <div className="form-foot">
          <Button disabled={look.isPending} onClick={() => look.mutate()}>
            {look.isPending ? own.looking : own.look}
          </Button>
        </div>
      )}
    </>
  )
}

function PeerPanel({ peer }: { readonly peer: Peer }): ReactElement {
  const [isOpen, setOpen] = useState(false)
  const { name, url, health, error, agents, checked_at } = peer
  return (
    <section className="panel" aria-label={name}>
      <h3>{name}</h3>
      {url !== null && (
        <p>
          <code>{url}</code>
        </p>
      )}
      <StateLine look={LOOKS[health]} label={own.health[health]}>
        {error}
      </StateLine>
      {agents.length > 0 && (
        <>
          <p>{own.agents}</p>
          <ul className="tags">
            {agents.map((agent) => (
              <li key={agent.name}>{`@${name}:${agent.name}`}</li>
            ))}
          </ul>
        </>
      )}
      {checked_at !== null && <p className="hint">{own.checked(formatFullTime(checked_at))}</p>}
      {health === "healthy" && (
        <div className="form-foot">
          <Button aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {isOpen ? own.hideChats : own.chats}
          </Button>
        </div>
      )}
      {isOpen && <PeerChats peer={name} />}
    </section>
  )
}
