import type { Agent } from "../agents/use-agents.ts"
import type { Me, Models } from "../api/types.ts"
import { words } from "../i18n/en-palette.ts"
import { t } from "../i18n/index.ts"
import { pageCommands } from "../palette/commands.ts"
import type { ExportFormat } from "../sessions/actions.ts"
import type { Theme } from "../theme/theme.ts"
import { toast } from "../ui/toast.tsx"
import { type Command, type CommandOffer, commandOffers } from "./command-offers.ts"

/** What the commands of a chat need to know, and what they do. */
export interface CommandContext {
  readonly me: Me
  readonly setTheme: (theme: Theme) => void
  readonly agents: readonly Agent[]
  readonly models: Models["models"]
  readonly canChooseModel: boolean
  readonly isRunning: boolean
  readonly onAgent: (agent: string | undefined) => void
  readonly onModel: (model: string | undefined) => void
  readonly onStop: () => void
  readonly onExport: ((format: ExportFormat) => void) | undefined
  readonly onSearch: (text: string) => void
  readonly onShortcuts: () => void
}

const FORMATS = { md: t.sessions.markdown, html: t.sessions.html, json: t.sessions.json } as const

/** What fits a text in the message field. The first one of all does nothing by itself. */
export const offersFor = (text: string, context: CommandContext): readonly CommandOffer[] | undefined =>
  commandOffers(text, [
    ...chatCommands(context),
    ...pageCommands(context).map(({ name, label, run }) => ({ name, note: label, run })),
  ])

function chatCommands(context: CommandContext): readonly Command[] {
  const { agents, models, isRunning, onAgent, onModel, onStop, onExport, onSearch } = context
  const model: Command = {
    name: "model",
    note: words.model,
    options: models.map(({ id, name = id }) => ({
      name,
      note: name === id ? "" : id,
      run: () => onModel(id),
    })),
    own: { form: /^\S{1,200}$/, note: words.ownModel, run: onModel },
  }
  const agent: Command = {
    name: "agent",
    note: words.agent,
    options: agents.map(({ name, personality }, index) => ({
      name,
      note: personality,
      // The first is the one that answers when nobody is chosen.
      run: () => onAgent(index === 0 ? undefined : name),
    })),
  }
  return [
    ...(context.canChooseModel ? [model] : []),
    ...(agents.length > 1 ? [agent] : []),
    { name: "stop", note: words.stop, isIdle: !isRunning, run: () => isRunning && onStop() },
    // Of a chat that has not begun there is nothing: that is said, and the command is not sent as a message.
    { ...exporting(onExport ?? (() => toast(words.nothingToExport))), isIdle: !onExport },
    {
      name: "search",
      note: words.search,
      run: () => onSearch(""),
      own: { form: /./, note: words.searchFor, run: onSearch },
    },
  ]
}

const exporting = (onExport: (format: ExportFormat) => void): Command => ({
  name: "export",
  note: words.export,
  options: (["md", "html", "json"] as const).map((format) => ({
    name: format,
    note: FORMATS[format],
    run: () => onExport(format),
  })),
})
