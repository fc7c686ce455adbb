import { type Command, Option } from "commander"
import type { Ended, Entry, LogPage } from "../answers.ts"
import type { Cli } from "../cli.ts"
import { CliError } from "../errors.ts"
import type { Act } from "../program.ts"
import { events } from "../streams.ts"
import { pretty, short, status } from "../text.ts"

/** `logs`: what was written of an orchestration, entry by entry. */
export function logCommands(program: Command, act: Act): void {
  program
    .command("logs")
    .description("the log of an orchestration: every step, in the order it happened")
    .argument("<id>")
    .addOption(
      new Option("-f, --follow", "go on with what is written, until it has ended").conflicts("verify"),
    )
    .option("--verify", "instead whether all of it is there, and as it was written")
    .action(
      act(async (cli, id: string, { follow, verify }: { follow?: true; verify?: true }) => {
        if (verify) return await verifyLog(cli, id)
        if (follow) {
          const { status: ended } = await followLog(cli, id)
          cli.line({ id, status: ended }, () => `${id} ${status(ended, cli.paint)}`)
          return
        }
        const log = await wholeLog(cli, id)
        cli.show(log, ({ entries }) =>
          entries.length === 0
            ? "Nothing is written yet."
            : entries.map((each) => entryLine(each, cli)).join("\n"),
        )
      }),
    )
}

interface Verification {
  readonly id: string
  readonly isWhole: boolean
  readonly entries: number
  /** The hash of the last entry. */
  readonly head?: string
  readonly brokenAt?: number
}

async function verifyLog(cli: Cli, id: string): Promise<void> {
  const found = await cli.api().request<Verification>("GET", logPath(id), { query: { verify: "1" } })
  cli.show(found, ({ entries, head = "-" }) => `${entries} entries, the last one with the hash ${head}`)
  if (!found.isWhole)
    throw new CliError(
      "log_broken",
      `The log of ${id} is not as it was written: entry ${found.brokenAt} does not fit the one before it.`,
      "Whoever can write to the engine's store has changed it.",
    )
}

const logPath = (id: string): string => `/orchestrations/${encodeURIComponent(id)}/log`

async function wholeLog(cli: Cli, id: string): Promise<LogPage> {
  const api = cli.api()
  const entries: Entry[] = []
  let cursor: string | undefined
  for (;;) {
    const page = await api.request<LogPage>("GET", logPath(id), {
      query: { cursor },
    })
    entries.push(...page.entries)
    if (page.cursor === undefined) return { id: page.id, status: page.status, entries }
    cursor = page.cursor
  }
}

/** Writes the log as it grows. @returns how the orchestration ended. */
export async function followLog(cli: Cli, id: string, { isQuiet = false } = {}): Promise<Ended> {
  for await (const { event, data } of events(cli, logPath(id), {
    follow: "1",
  })) {
    if (event === "end") return data as Ended
    if (event === "entry" && !isQuiet) cli.line(data as Entry, (entry) => entryLine(entry, cli))
  }
  throw new CliError("stream_ended", `The log of ${id} ended before the orchestration did.`)
}

const DETAIL = 100

/** An entry on one line. */
export function entryLine({ number, hash, at, type, task, ...facts }: Entry, { paint }: Cli): string {
  const what = [type.replaceAll("_", " "), details(facts)].filter((part) => part !== "").join("  ")
  return `${paint("dim", new Date(at).toISOString())}  ${(task ?? "-").padEnd(8)}  ${what}`
}

/** What is known of an entry, the longest last: whatever types there will be. */
function details({ key, ...facts }: Readonly<Record<string, unknown>>): string {
  return Object.entries(facts)
    .toSorted(([, a], [, b]) => Number(typeof a === "object") - Number(typeof b === "object"))
    .map(
      ([name, value]) =>
        `${name}=${short(typeof value === "string" ? value : JSON.stringify(value), DETAIL)}`,
    )
    .join(" ")
}

/** The results of an orchestration: the one there is, or each by its task. */
export function results({ results: list = [], resultsByTask }: Ended): string {
  return pretty(list.length === 1 ? list[0] : (resultsByTask ?? list))
}

/** What an error says; failures of tasks are objects that have it. */
export const errorText = (error: unknown): string => {
  if (typeof error === "string") return error
  const { error: text } = (error ?? {}) as { error?: unknown }
  return typeof text === "string" ? text : JSON.stringify(error)
}
