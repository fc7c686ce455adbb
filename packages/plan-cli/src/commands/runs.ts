import { type Command, InvalidArgumentError, Option } from "commander"
import type { Listed, ListGroups } from "../answers.ts"
import type { Cli } from "../cli.ts"
import type { Act } from "../program.ts"
import { events } from "../streams.ts"
import { ago, short, status, table } from "../text.ts"
import { errorText } from "./logs.ts"

/** The groups of the list, in the order in which people look for them, and how their status is called. */
const GROUPS = {
  processing: "processing",
  pending: "pending",
  aborted: "aborted",
  completed: "completed",
  failed: "failed",
  notActionable: "not_actionable",
  cancelled: "cancelled",
} as const

interface ListOptions {
  readonly watch?: true
  readonly status?: string
  readonly limit?: number
}

/** `ps` and `cancel`: orchestrations. */
export function runCommands(program: Command, act: Act): void {
  program
    .command("ps")
    .description("the orchestrations, those that are under way first")
    .option("-w, --watch", "go on, and show each change")
    .addOption(new Option("-s, --status <status>", "only those").choices(Object.values(GROUPS)))
    .option("-l, --limit <number>", "so many, the newest", wholeNumber)
    .action(
      act(async (cli, options: ListOptions) => {
        if (options.watch) return await watchList(cli, options)
        cli.show(await list(cli, options), (groups) => listTable(cli, groups))
      }),
    )
  program
    .command("cancel")
    .description(
      "stop an orchestration: what runs is waited for, nothing more is begun, what was done is undone",
    )
    .argument("<id>")
    .action(
      act(async (cli, id: string) => {
        const path = `/orchestrations/${encodeURIComponent(id)}/cancel`
        const cancelled = await cli.api().request<{ id: string; status: string }>("POST", path)
        cli.show(cancelled, (answer) => `${answer.id} ${status(answer.status, cli.paint)}`)
      }),
    )
}

/** @throws InvalidArgumentError, as commander wants it. */
export function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError("It is a whole number above 0.")
}

async function list(cli: Cli, { status: wanted, limit }: ListOptions): Promise<ListGroups> {
  const api = cli.api()
  if (wanted === undefined && limit === undefined) return await api.request("GET", "/orchestrations")
  const groups: Record<string, Listed[]> = {}
  let left = limit ?? Number.POSITIVE_INFINITY
  let cursor: string | undefined
  do {
    const { items, cursor: next } = await api.request<{ items: readonly Listed[]; cursor?: string }>(
      "GET",
      "/orchestrations",
      { query: { status: wanted, limit: String(Math.min(left, PAGE)), cursor } },
    )
    for (const item of items) {
      const name = Object.entries(GROUPS).find(([, each]) => each === item.status)?.[0] ?? item.status
      groups[name] ??= []
      groups[name].push(item)
    }
    left -= items.length
    cursor = next
  } while (cursor !== undefined && left > 0)
  return groups
}

const PAGE = 500

/** On a terminal the list is drawn anew with each change; elsewhere each change is a line. */
async function watchList(cli: Cli, options: ListOptions): Promise<void> {
  const { isTty, out } = cli.around
  const isDrawn = isTty && !cli.isJson
  const draw = async (): Promise<void> => {
    const groups = await list(cli, options)
    if (isDrawn) out(CLEAR)
    cli.line(groups, (shown) => listTable(cli, shown))
  }
  // The list comes after the stream has begun: nothing changes between the two.
  for await (const { event, data } of events(cli, "/orchestrations/events")) {
    const changed = data as Listed
    if (isDrawn || event === "open") await draw()
    else if (options.status === undefined || options.status === changed.status)
      cli.line(changed, (each) => row(cli, each, each.error !== undefined).join("  "))
  }
}

/** From the top of an empty screen. */
const CLEAR = "\u001b[H\u001b[2J"

function listTable(cli: Cli, groups: ListGroups): string {
  const all = Object.keys(GROUPS).flatMap((name) => groups[name] ?? [])
  if (all.length === 0) return 'There is nothing yet. Try: orra verify run "What is wanted" -d field:value'
  const hasError = all.some(({ error }) => error !== undefined)
  return table(
    ["ID", "ACTION", "STATUS", "COMPENSATIONS", "CREATED", ...(hasError ? ["ERROR"] : [])],
    all.map((each) => row(cli, each, hasError)),
  )
}

const row = (cli: Cli, each: Listed, hasError: boolean): readonly string[] => [
  each.id,
  short(each.action, 34),
  status(each.status, cli.paint),
  compensations(each),
  ago(each.timestamp, cli.around.now()),
  ...(hasError ? [each.error === undefined ? "" : short(errorText(each.error), 60)] : []),
]

function compensations({ compensation }: Listed): string {
  if (!compensation) return "-"
  const { total, completed, failed } = compensation
  return `${completed}/${total}${failed > 0 ? ` (${failed} failed)` : ""}`
}
