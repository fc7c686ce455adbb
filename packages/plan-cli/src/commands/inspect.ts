import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Command, Option } from "commander"
import type { InspectedTask, Inspection } from "../answers.ts"
import type { Cli } from "../cli.ts"
import type { Act } from "../program.ts"
import { ago, box, duration, pretty, short, status, table } from "../text.ts"
import { errorText, results } from "./logs.ts"

interface InspectOptions {
  readonly detailed?: true
  readonly updates?: true
  readonly longUpdates?: true
}

/** `inspect`: everything that is known of an orchestration. */
export function inspectCommands(program: Command, act: Act): void {
  program
    .command("inspect")
    .description("an orchestration: its tasks, how they went, and what came of it")
    .argument("<id>")
    .option("-d, --detailed", "each task's history, input and output")
    .addOption(new Option("-u, --updates", "what tasks told meanwhile, in short").conflicts("longUpdates"))
    .addOption(new Option("--long-updates", "what tasks told meanwhile, all of it"))
    .action(
      act(async (cli, id: string, options: InspectOptions) => {
        const path = `/orchestrations/inspections/${encodeURIComponent(id)}`
        const inspection = await cli.api().request<Inspection>("GET", path)
        cli.show(inspection, (shown) => inspected(cli, shown, options))
      }),
    )
}

interface Pddl {
  readonly domain: string
  readonly problem: string
  readonly plan: string
}

/** `pddl`: a plan as the public validators read it. */
export function pddlCommand(program: Command, act: Act): void {
  program
    .command("pddl")
    .description(
      "the plan of an orchestration in PDDL, for a validator such as VAL: Validate domain.pddl problem.pddl plan.txt",
    )
    .argument("<id>")
    .option("-o, --output <folder>", "write the three files there instead of the output")
    .action(
      act(async (cli, id: string, { output }: { output?: string }) => {
        const path = `/orchestrations/${encodeURIComponent(id)}/pddl`
        const { domain, problem, plan } = await cli.api().request<Pddl>("GET", path)
        const files = { "domain.pddl": domain, "problem.pddl": problem, "plan.txt": plan }
        if (output === undefined) {
          cli.show({ domain, problem, plan }, (shown) => Object.values(shown).join("\n"))
          return
        }
        mkdirSync(output, { recursive: true })
        for (const [name, text] of Object.entries(files)) writeFileSync(join(output, name), text)
        cli.show({ files: Object.keys(files).map((name) => join(output, name)) }, (shown) =>
          shown.files.join("\n"),
        )
      }),
    )
}

function inspected(cli: Cli, inspection: Inspection, options: InspectOptions): string {
  const { id, action, timestamp, error, abortInfo, tasks = [] } = inspection
  const isWhole = options.detailed || options.updates || options.longUpdates
  const facts = [
    `ID:      ${id}`,
    `Status:  ${status(inspection.status, cli.paint)}`,
    `Action:  ${action}`,
    `Changed: ${ago(timestamp, cli.around.now())}`,
    ...(error === undefined ? [] : [`Error:   ${cli.paint("red", errorText(error))}`]),
  ]
  return [
    box("Orchestration", facts),
    ...(abortInfo
      ? [box("Aborted by", [`${abortInfo.serviceName} (${abortInfo.taskId})`, pretty(abortInfo.payload)])]
      : []),
    ...(tasks.length > 0 ? [box("Tasks", [taskTable(cli, tasks)])] : []),
    ...(isWhole
      ? tasks.map((task) => box(`${task.id} ${task.serviceName}`, taskLines(cli, task, options)))
      : []),
    ...(inspection.results && inspection.status === "completed"
      ? [box("Result", [results(inspection)])]
      : []),
  ].join("\n\n")
}

const taskTable = (cli: Cli, tasks: readonly InspectedTask[]): string =>
  table(
    ["TASK", "SERVICE", "STATUS", "TOOK", "COMPENSATION", "ERROR"],
    tasks.map((task) => [
      task.id,
      task.serviceName,
      status(task.status, cli.paint),
      task.statusHistory.length > 0 ? duration(task.duration) : "-",
      compensation(cli, task),
      short(task.error ?? "", 60),
    ]),
  )

function compensation(cli: Cli, { compensation: undone, isRevertible }: InspectedTask): string {
  if (!undone) return isRevertible ? "revertible" : "-"
  return `${status(undone.status, cli.paint)} (${undone.attempt}/${undone.max_attempts})`
}

function taskLines(cli: Cli, task: InspectedTask, options: InspectOptions): readonly string[] {
  const { statusHistory, compensationHistory = [], interimResults = [] } = task
  const step = (each: { status: string; timestamp: string; error?: string }): string =>
    `  ${each.timestamp}  ${status(each.status, cli.paint)}${each.error === undefined ? "" : `  ${each.error}`}`
  const updates = options.longUpdates
    ? interimResults.flatMap(({ timestamp, data }) => [`  ${timestamp}`, pretty(data)])
    : interimResults.map(
        ({ timestamp, data }) => `  ${timestamp}  ${progress(data)}${short(JSON.stringify(data), 80)}`,
      )
  const part = (title: string, lines: readonly string[]): readonly string[] =>
    lines.length === 0 ? [] : [`${title}:`, ...lines]
  return [
    ...(options.detailed
      ? [
          ...part("History", statusHistory.map(step)),
          ...part("Compensation", compensationHistory.map(step)),
          ...part("Input", task.input === undefined ? [] : [pretty(task.input)]),
          ...part("Output", task.output === undefined ? [] : [pretty(task.output)]),
          ...part("Aborted with", task.abortPayload === undefined ? [] : [pretty(task.abortPayload)]),
        ]
      : []),
    ...(options.updates || options.longUpdates
      ? part("Updates", updates.length === 0 ? ["  none"] : updates)
      : progressLine(interimResults.at(-1)?.data)),
  ]
}

const progressLine = (data: unknown): readonly string[] => {
  const bar = progress(data)
  return bar === "" ? [] : [`Progress: ${bar.trim()}`]
}

const BAR = 20

/** How far a task says it is, in `progress` or `percentComplete`, from 0 to 100. */
function progress(data: unknown): string {
  const { progress: told, percentComplete = told } = (data ?? {}) as Readonly<Record<string, unknown>>
  if (typeof percentComplete !== "number" || !(percentComplete >= 0 && percentComplete <= 100)) return ""
  const full = Math.round((percentComplete / 100) * BAR)
  return `[${"█".repeat(full)}${"░".repeat(BAR - full)}] ${percentComplete}%  `
}
