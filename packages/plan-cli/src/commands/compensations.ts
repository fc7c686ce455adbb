import { type Command, Option } from "commander"
import type { Cli } from "../cli.ts"
import type { Act } from "../program.ts"
import { ago, box, pretty, short, status, table } from "../text.ts"
import { wholeNumber } from "./runs.ts"
import { addressCommands } from "./webhooks.ts"

interface FailedCompensation {
  readonly id: string
  readonly orchestrationId: string
  readonly taskId: string
  readonly serviceId: string
  readonly serviceName: string
  readonly compensationData: { readonly data: unknown; readonly context: unknown; readonly ttl: number }
  readonly status: string
  readonly resolutionState: string
  readonly failure?: string
  readonly resolution?: string
  readonly attemptsMade: number
  readonly maxAttempts: number
  readonly timestamp: string
  readonly resolvedAt: string
}

interface ListOptions {
  readonly orchestration?: string
  readonly status?: string
  readonly resolution?: string
  readonly limit: number
  readonly all?: true
}

const PATH = "/compensation-failures"
const one = (id: string): string => `${PATH}/${encodeURIComponent(id)}`

/** `comp-fail`: what was done and could not be undone. */
export function compensationCommands(program: Command, act: Act): void {
  const failures = program.command("comp-fail").description("what was done and could not be undone")
  failures
    .command("ls")
    .alias("list")
    .description("what nobody has seen to yet, the newest first")
    .option("-o, --orchestration <id>", "of this orchestration alone")
    .addOption(new Option("-s, --status <status>", "how undoing it ended").choices(["failed", "expired"]))
    .addOption(
      new Option("-r, --resolution <state>", "what was done about it").choices([
        "pending",
        "resolved",
        "ignored",
      ]),
    )
    .option("-l, --limit <number>", "so many at most", wholeNumber, 20)
    .option("--all", "those that were seen to as well, all of them")
    .action(act(list))
  failures
    .command("inspect")
    .description("all that is known of one")
    .argument("<id>")
    .action(
      act(async (cli, id: string) => {
        cli.show(await cli.api().request<FailedCompensation>("GET", one(id)), (shown) =>
          inspected(cli, shown),
        )
      }),
    )
  for (const [name, done] of [
    ["resolve", "resolved"],
    ["ignore", "ignored"],
  ] as const)
    failures
      .command(name)
      .description(`say that it is ${done}, and why`)
      .argument("<id>")
      .requiredOption("-r, --reason <text>", "why")
      .action(
        act(async (cli, id: string, { reason }: { reason: string }) => {
          const settled = await cli
            .api()
            .request<FailedCompensation>("POST", `${one(id)}/${name}`, { body: { reason } })
          cli.show(settled, (shown) => `${shown.id} is ${shown.resolutionState}: ${shown.resolution}`)
        }),
      )
  failures
    .command("retry")
    .description("try to undo it once more")
    .argument("<id>")
    .action(
      act(async (cli, id: string) => {
        const again = await cli.api().request<FailedCompensation>("POST", `${one(id)}/retry`)
        cli.show(
          again,
          (shown) => `${shown.id} is being undone again. See how it goes: orra comp-fail inspect ${shown.id}`,
        )
      }),
    )
  const webhooks = failures
    .command("webhooks")
    .description("addresses that are told of what could not be undone")
  addressCommands(webhooks, act, "/compensation-failure-webhooks", "orra comp-fail webhooks add")
}

async function list(
  cli: Cli,
  { orchestration, status: wanted, resolution, limit, all }: ListOptions,
): Promise<void> {
  const state = resolution ?? (all ? undefined : "pending")
  const found = (await cli.api().request<readonly FailedCompensation[]>("GET", PATH)).filter(
    (each) =>
      (orchestration === undefined || each.orchestrationId === orchestration) &&
      (wanted === undefined || each.status === wanted) &&
      (state === undefined || each.resolutionState === state),
  )
  const some = all ? found : found.slice(0, limit)
  cli.show(some, (shown) =>
    shown.length === 0
      ? state === "pending"
        ? "Nothing waits to be seen to."
        : "There is none."
      : [
          table(
            ["ID", "ORCHESTRATION", "TASK", "SERVICE", "STATUS", "RESOLUTION", "ATTEMPTS", "WHEN", "FAILURE"],
            shown.map((each) => [
              each.id,
              each.orchestrationId,
              each.taskId,
              each.serviceName,
              status(each.status, cli.paint),
              each.resolutionState,
              `${each.attemptsMade}/${each.maxAttempts}`,
              ago(each.timestamp, cli.around.now()),
              short(each.failure ?? "", 50),
            ]),
          ),
          ...(found.length > shown.length
            ? [`… and ${found.length - shown.length} more: -l or --all shows them.`]
            : []),
        ].join("\n"),
  )
}

function inspected(cli: Cli, failed: FailedCompensation): string {
  const { data, context, ttl } = failed.compensationData
  return [
    box("Compensation", [
      `ID:            ${failed.id}`,
      `Orchestration: ${failed.orchestrationId}`,
      `Task:          ${failed.taskId}`,
      `Service:       ${failed.serviceName} (${failed.serviceId})`,
      `Status:        ${status(failed.status, cli.paint)}`,
      `Attempts:      ${failed.attemptsMade}/${failed.maxAttempts}`,
      `When:          ${failed.timestamp}`,
      ...(failed.failure === undefined ? [] : [`Failure:       ${failed.failure}`]),
      `Resolution:    ${failed.resolutionState}${failed.resolution ? `: ${failed.resolution}` : ""}`,
      `Valid for:     ${ttl} ms`,
    ]),
    box("What undoes it", [pretty(data)]),
    box("Why", [pretty(context)]),
    ...(failed.resolutionState === "pending"
      ? [
          [
            `Try again:            orra comp-fail retry ${failed.id}`,
            `It was seen to:       orra comp-fail resolve ${failed.id} -r "why"`,
            `It does not matter:   orra comp-fail ignore ${failed.id} -r "why"`,
          ].join("\n"),
        ]
      : []),
  ].join("\n\n")
}
