import type { Command } from "commander"
import type { Listed, ListGroups } from "../answers.ts"
import type { Cli } from "../cli.ts"
import type { Act } from "../program.ts"
import { ago, short, status, table } from "../text.ts"

/** The order in which people look for them. */
const ORDER = ["processing", "pending", "aborted", "completed", "failed", "notActionable", "cancelled"]

/** `ps`: orchestrations. */
export function runCommands(program: Command, act: Act): void {
  program
    .command("ps")
    .description("the orchestrations, those that are under way first")
    .action(
      act(async (cli) => {
        const groups = await cli.api().request<ListGroups>("GET", "/orchestrations")
        cli.show(groups, (shown) => listTable(cli, shown))
      }),
    )
}

function listTable(cli: Cli, groups: ListGroups): string {
  const all = ORDER.flatMap((name) => groups[name] ?? [])
  if (all.length === 0) return 'There is nothing yet. Try: orra verify run "What is wanted" -d field:value'
  const hasError = all.some(({ error }) => error !== undefined)
  return table(
    ["ID", "ACTION", "STATUS", "COMPENSATIONS", "CREATED", ...(hasError ? ["ERROR"] : [])],
    all.map((each) => [
      each.id,
      short(each.action, 34),
      status(each.status, cli.paint),
      compensations(each),
      ago(each.timestamp, cli.around.now()),
      ...(hasError ? [each.error === undefined ? "" : short(errorText(each.error), 60)] : []),
    ]),
  )
}

function compensations({ compensation }: Listed): string {
  if (!compensation) return "-"
  const { total, completed, failed } = compensation
  return `${completed}/${total}${failed > 0 ? ` (${failed} failed)` : ""}`
}

/** What an error says; failures of tasks are objects that have it. */
const errorText = (error: unknown): string => {
  if (typeof error === "string") return error
  const { error: text } = error as { error?: unknown }
  return typeof text === "string" ? text : JSON.stringify(error)
}
