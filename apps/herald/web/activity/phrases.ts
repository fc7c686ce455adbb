import { toolWords } from "../chat/tool-words.ts"
import { words } from "../i18n/en-activity.ts"
import { formatCost, formatDuration, formatFullTime, formatList, formatNumber } from "../i18n/index.ts"
import type { IconName } from "../ui/icons.tsx"
import type { Happened } from "./activity-api.ts"
import type { FactRows } from "./facts.tsx"

const ICONS: Readonly<Record<Happened["kind"], IconName>> = {
  run: "chat",
  delegation: "bot",
  schedule: "clock",
  model: "thought",
  tool: "tool",
  approval: "shield",
  budget: "queue",
  login: "logout",
  change: "settings",
}

export const toolTitle = (tool: string | undefined): string =>
  tool === undefined ? words.aTool : toolWords(tool, {}).title

const known = <T extends Readonly<Record<string, string>>>(texts: T, name: string | undefined): string =>
  name === undefined ? "" : (texts[name] ?? name)

/** How something ended or was decided, in a word; empty where there is nothing to say. */
export function statusWords({
  kind,
  verdict,
  status,
}: Pick<Happened, "kind" | "verdict" | "status">): string {
  if (kind === "tool" && verdict !== "allow") return known(words.verdicts, verdict)
  if (kind === "login" || kind === "change" || kind === "budget" || kind === "approval") return ""
  return known(words.statuses, status)
}

export const outcomeWords = (status: string | undefined): string => known(words.statuses, status)

/** Whether it is worth a second look. */
export const isBad = ({ kind, verdict, status }: Pick<Happened, "kind" | "verdict" | "status">): boolean =>
  verdict === "deny" || (kind !== "change" && /^(?:failed|error|interrupted|denied)$/.test(status ?? ""))

/** What happened, in a line. */
export function phraseOf(item: Happened): { readonly icon: IconName; readonly title: string } {
  const { kind, agent, model, tool, verdict, by, status } = item
  const icon = kind === "tool" && tool !== undefined ? toolWords(tool, {}).icon : ICONS[kind]
  switch (kind) {
    case "run":
      return { icon, title: agent === undefined ? words.answer : words.answerBy(agent) }
    case "delegation":
      return { icon, title: agent === undefined ? words.handed : words.handedOn(agent) }
    case "schedule":
      return { icon, title: words.job }
    case "model":
      return { icon, title: model === undefined ? words.aModelCall : words.modelCall(model) }
    case "tool":
      return { icon, title: toolTitle(tool) }
    case "approval":
      return {
        icon,
        title:
          verdict === "ask"
            ? words.asked(toolTitle(tool))
            : words.decided(by ?? words.somebody, verdict === "allow", toolTitle(tool)),
      }
    case "budget":
      return { icon, title: known(words.budgets, status) }
    default:
      return { icon, title: known(words.changes, status) }
  }
}

export const costWords = (cost: number | null): string => (cost === null ? words.unpriced : formatCost(cost))

/** All that is known of it, name by name. */
export function factsOf(item: Happened): FactRows {
  const { facts } = words
  const { kind, verdict, status, input_tokens: read, output_tokens: written } = item
  const isDecided = kind === "tool" || kind === "approval"
  return [
    [facts.when, formatFullTime(item.at)],
    [facts.whose, item.person],
    [facts.chat, item.title],
    [facts.where, item.namespace],
    [facts.agent, item.agent],
    [facts.model, item.model],
    [facts.tool, item.tool],
    [facts.decision, isDecided ? known(words.verdicts, verdict) : undefined],
    [facts.rule, item.reason],
    [kind === "run" || verdict === "ask" ? facts.asker : facts.by, item.by],
    [facts.outcome, kind === "change" || kind === "login" ? undefined : outcomeWords(status) || undefined],
    [facts.error, item.error],
    [facts.names, item.names && formatList(item.names)],
    [facts.duration, item.duration_ms === undefined ? undefined : formatDuration(item.duration_ms)],
    [
      facts.tokens,
      read === undefined || written === undefined
        ? undefined
        : words.tokens(formatNumber(read), formatNumber(written)),
    ],
    [facts.cost, item.cost === undefined ? undefined : costWords(item.cost)],
  ]
}
