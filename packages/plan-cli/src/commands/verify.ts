import type { Command } from "commander"
import type { Created } from "../answers.ts"
import { engineError } from "../api.ts"
import type { Cli } from "../cli.ts"
import { CliError } from "../errors.ts"
import type { Act } from "../program.ts"
import { EVENTS, eventsOf } from "../streams.ts"
import { status } from "../text.ts"
import { errorText, followLog, results } from "./logs.ts"
import { listenForWebhooks } from "./webhook-listener.ts"
import { addWebhook } from "./webhooks.ts"

interface RunOptions {
  readonly data?: readonly Field[]
  readonly dataJson?: readonly Field[]
  readonly timeout?: string
  readonly healthCheckGracePeriod?: string
  readonly webhook?: string
  readonly follow?: true
  readonly quiet?: true
}

interface Field {
  readonly field: string
  readonly value: unknown
}

/** `verify`: actions that are tried, and webhooks that are listened to. */
export function verifyCommands(program: Command, act: Act): void {
  const verify = program.command("verify").description("try actions, and hear what comes of them")
  verify
    .command("run")
    .description("have an action planned and carried out")
    .argument("<action>", "what is wanted, in words")
    .option("-d, --data <field:value>", "a value for the action, as often as wanted", collected(valueIn))
    .option(
      "--data-json <field:json>",
      "one that is JSON: a number, true, null, a text in quotes",
      collected(strictJson),
    )
    .option("-t, --timeout <duration>", "how long a task may take without a sign of life: 30s, 5m")
    .option("-g, --health-check-grace-period <duration>", "how long a service may be away: 30m, 2h")
    .option("-w, --webhook <url>", "tell this address of what comes of it, and of all that follows")
    .option("-f, --follow", "stay until it has ended, and show its log")
    .option("-q, --quiet", "write the id alone; with --follow the result alone")
    .action(act((cli, action: string, options: RunOptions) => runAction(cli, action, options)))
  verify
    .command("webhooks")
    .description("webhooks of this machine")
    .command("start")
    .description("listen at a webhook's address, and show what it is told")
    .argument("<url>", "an address that was added with: orra webhooks add")
    .action(act(listenForWebhooks))
}

async function runAction(cli: Cli, action: string, options: RunOptions): Promise<void> {
  const {
    data = [],
    dataJson = [],
    timeout,
    healthCheckGracePeriod,
    webhook,
    follow,
    quiet = false,
  } = options
  if (webhook !== undefined) await addWebhook(cli, "/webhooks", webhook)
  const body = {
    action: { content: action },
    data: [...data, ...dataJson],
    ...(timeout !== undefined && { timeout }),
    ...(healthCheckGracePeriod !== undefined && { healthCheckGracePeriod }),
  }
  if (!follow) {
    const created = await cli.api().request<Created>("POST", "/orchestrations", { body })
    cli.show(created, (shown) => (quiet ? created.id : planned(cli, shown, true)))
    return
  }
  const created = await planAloud(cli, body, quiet)
  const { id } = created
  if (!quiet) cli.line(created, (shown) => planned(cli, shown, false))
  const ended = await followLog(cli, id, { isQuiet: quiet })
  if (!quiet) cli.line(ended, (shown) => `${id} ${status(shown.status, cli.paint)}`)
  if (ended.results && (quiet || !cli.isJson)) cli.line(ended, results)
  if (ended.status !== "completed")
    throw new CliError(
      "orchestration_not_completed",
      `${id} is ${ended.status.replaceAll("_", " ")}${ended.error === undefined ? "" : `: ${errorText(ended.error)}`}.`,
      `See what happened: orra inspect -d ${id}`,
    )
}

/** Has it planned, and shows how that goes. */
async function planAloud(cli: Cli, body: unknown, isQuiet: boolean): Promise<Created> {
  const response = await cli.api().open("POST", "/orchestrations", { body, headers: EVENTS })
  for await (const { event, data } of eventsOf(response)) {
    if (event === "planned") return data as Created
    if (event === "error") {
      const { code = "plan_failed", message } = data as { readonly code?: string; readonly message: string }
      throw engineError(code, message)
    }
    const step = data as PlanningStep
    // How much a model has written so far is of no use to anybody who reads lines.
    if (!isQuiet && step.type !== "writing") cli.line(step, (shown) => cli.paint("dim", stepText(shown)))
  }
  throw new CliError(
    "stream_ended",
    "The engine went away while it planned.",
    "It goes on with it when it is back: look with orra ps",
  )
}

interface PlanningStep {
  readonly type: string
  readonly id?: string
  readonly attempt?: number
  readonly findings?: readonly { readonly message: string }[]
  readonly grounding?: { readonly name: string; readonly useCase: string }
  readonly like?: string
}

function stepText({ type, id, attempt, findings = [], grounding, like }: PlanningStep): string {
  switch (type) {
    case "created":
      return `planning ${id}`
    case "grounded":
      return `  grounded by ${grounding?.name}: ${grounding?.useCase}`
    case "reused":
      return `  a plan is there already: ${like}`
    case "refused":
      return `  attempt ${attempt} refused: ${findings.map(({ message }) => message).join(" ")}`
    default:
      return `  attempt ${attempt}: ${type}`
  }
}

function planned(cli: Cli, { id, status: now, plan }: Created, hasHint: boolean): string {
  const tasks = plan.tasks.map(
    ({ id: task, service_name, input }) =>
      `  ${task}  ${service_name}  ${cli.paint("dim", JSON.stringify(input))}`,
  )
  return [
    `${id} ${status(now, cli.paint)}`,
    ...tasks,
    ...(hasHint ? ["", `Follow it: orra logs -f ${id}`, `Inspect it: orra inspect -d ${id}`] : []),
  ].join("\n")
}

/** Adds what one option says to what those before it said. @throws CliError. */
const collected =
  (read: (text: string) => unknown) =>
  (text: string, before: readonly Field[] = []): readonly Field[] => {
    const colon = text.indexOf(":")
    if (colon > 0) return [...before, { field: text.slice(0, colon), value: read(text.slice(colon + 1)) }]
    throw new CliError(
      "data_wrong",
      `"${text}" has no field and value.`,
      "Write it as field:value, such as -d orderId:ORD123",
    )
  }

/** A list or an object when it is JSON, else the text exactly as it is. */
function valueIn(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function strictJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new CliError(
      "data_wrong",
      `${text} is not JSON.`,
      "Texts need their quotes: --data-json 'name:\"Bob\"'",
    )
  }
}
