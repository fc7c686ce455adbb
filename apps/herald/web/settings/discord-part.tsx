import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import type { ReactElement } from "react"
import { words } from "../i18n/en-settings.ts"
import { Button } from "../ui/button.tsx"
import { type DiscordStatus, settingsApi } from "./settings-api.ts"
import { StateLine } from "./state-line.tsx"
import { useSave, useValues } from "./use-values.ts"
import { type Option, ValueForm } from "./value-form.tsx"
import { Waiting } from "./waiting.tsx"

const own = words.discord

const OPTIONS: readonly Option[] = [
  { name: "discord.token", label: own.token, hint: own.tokenHint, kind: "secret" },
  { name: "discord.filter", label: own.filter, kind: "choice", choices: own.filters },
  { name: "discord.threads", label: own.threads, hint: own.threadsHint, kind: "switch" },
  { name: "discord.allowed_users", label: own.allowed, hint: own.allowedHint, kind: "lines" },
  { name: "discord.approvers", label: own.approvers, hint: own.approversHint, kind: "lines" },
  { name: "discord.approvals_channel", label: own.approvals, hint: own.approvalsHint, kind: "text" },
]

/** While it changes it is looked at often, in ms. */
const CHANGING_MS = 1_500
const RESTING_MS = 15_000

const LOOKS = {
  off: "off",
  disconnected: "off",
  connecting: "busy",
  reconnecting: "busy",
  connected: "good",
  failed: "bad",
} as const

/** The bot: how it is with it, and who may talk to it. */
export function DiscordPart(): ReactElement {
  const { data, value, error: unread } = useValues()
  const client = useQueryClient()
  const { data: status, error: unknown } = useQuery({
    queryKey: ["discord-status"],
    queryFn: ({ signal }) => settingsApi.discord(signal),
    refetchInterval: ({ state }) => (isChanging(state.data) ? CHANGING_MS : RESTING_MS),
  })
  const save = useSave()
  const connect = useMutation({
    mutationFn: settingsApi.connectDiscord,
    onSuccess: (next) => client.setQueryData(["discord-status"], next),
  })
  if (!data || !status) return <Waiting error={unread ?? unknown} />
  const hasToken = value("discord.token")?.value === true
  const enabled = value("discord.enabled")
  const isOn = enabled?.value === true
  const error = save.error ?? connect.error
  return (
    <>
      <p className="muted">{own.lead}</p>
      {hasToken ? (
        <div className="panel">
          <StateLine look={LOOKS[status.state]} label={own.states[status.state]}>
            {status.message ?? (status.state === "connected" ? own.connectedHint : null)}
          </StateLine>
          <div className="form-foot">
            {enabled?.origin !== "file" && (
              <Button
                disabled={save.isPending}
                onClick={() => save.mutate({ "discord.enabled": isOn ? false : null })}
              >
                {isOn ? own.disconnect : own.connect}
              </Button>
            )}
            {isOn && (status.state === "failed" || status.state === "reconnecting") && (
              <Button disabled={connect.isPending} onClick={() => connect.mutate()}>
                {own.again}
              </Button>
            )}
            {status.invite !== null && (
              <a className="button" href={status.invite} target="_blank" rel="noreferrer">
                {own.invite}
              </a>
            )}
          </div>
          <div role="alert">{error && <p className="form-error">{error.message}</p>}</div>
        </div>
      ) : (
        <div className="panel">
          <h3>{own.emptyTitle}</h3>
          <ol className="steps">
            {own.steps.map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ol>
          <p>
            <a href="https://discord.com/developers/applications" target="_blank" rel="noreferrer">
              {own.portal}
            </a>
          </p>
        </div>
      )}
      <ValueForm options={OPTIONS} value={value} />
    </>
  )
}

const isChanging = (status: DiscordStatus | undefined): boolean =>
  status?.state === "connecting" || status?.state === "reconnecting" || status?.state === "disconnected"
