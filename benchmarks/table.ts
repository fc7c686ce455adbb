// Turns the results of the comparison into the tables of benchmarks/README.md.

import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

interface Stat {
  readonly med: number
}

interface Framework {
  readonly title: string
  readonly turns?: Readonly<Record<string, Readonly<Record<"cpuUs" | "wallUs", Stat | null>> & Ratios>>
  readonly sessions?: Readonly<Record<string, Readonly<Record<"cpuUs" | "wallUs", Stat | null>>>>
  readonly idle?: { readonly seeded: Stat | null; readonly lived: Stat | null }
}

interface Ratios {
  readonly cpuRatio?: number | null
}

/** `results/summary.json` of the comparison, one lane: medians by framework. */
export type Summary = Readonly<Record<string, Framework>>

/** `results/default.json`: what was measured, and where. */
export interface Results {
  readonly meta: {
    readonly date: string
    readonly cpu: string
    readonly cores: number
    readonly node: string
  }
  readonly adapters: Readonly<Record<string, { readonly versions: Readonly<Record<string, string | null>> }>>
  readonly rounds: readonly unknown[]
}

const TOOL_STEPS = 5
const TOKENS = 200
const IDLE_SESSIONS = 10_000
const README = join(import.meta.dirname, "README.md")

/** Puts the tables between the markers of the README, or only prints them. */
export function writeReadme(results: Results, summary: Summary, load: number, dry: boolean): void {
  const text = tables(results, summary, load)
  console.log(`\n${text}`)
  if (!dry) replaceIn("comparison", text)
}

/** Puts a text in the place of what the README has between the markers of this name. */
export function replaceIn(name: string, text: string): void {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const readme = readFileSync(README, "utf8")
  const [head, tail] = [readme.indexOf(begin), readme.indexOf(end)]
  if (head < 0 || tail < 0) throw new Error(`${README} has no ${begin} … ${end} to write between.`)
  writeFileSync(README, `${readme.slice(0, head + begin.length)}\n\n${text}\n\n${readme.slice(tail)}`)
}

function tables({ meta, adapters, rounds }: Results, summary: Summary, load: number): string {
  const entries = Object.entries(summary)
  const versions = Object.values(adapters).flatMap((adapter) => Object.entries(adapter.versions))
  const used = [...new Map(versions)].map(([name, version]) => `${name} ${version ?? "?"}`)
  return [
    `${meta.date.slice(0, 10)}, Node ${meta.node}, ${meta.cpu}, ${meta.cores} cores, load ${load.toFixed(1)} at the start, rounds: ${rounds.length}.`,
    `Versions: ${used.join(", ")}.`,
    "",
    "CPU per turn over HTTP, µs, and how often what raw fetch takes in the same round:",
    "",
    ...table(
      ["", "single turn", "five tool steps", "the same, session kept", "stream of 200 tokens"],
      entries.map(([, framework]) => [
        framework.title,
        ...["single c=1", "tools c=1", "kept tools c=1", "stream c=1"].map((name) => cpu(framework, name)),
      ]),
    ),
    "",
    "With a model in the same process, µs of wall time: the framework alone.",
    "",
    ...table(
      ["", "single turn", "a tool step", "a streamed token"],
      entries.map(([, framework]) => {
        const [single, tools, stream] = ["fake single", "fake tools", "fake stream"].map(
          (name) => framework.turns?.[name]?.wallUs?.med,
        )
        const step = tools === undefined || single === undefined ? undefined : (tools - single) / TOOL_STEPS
        return [
          framework.title,
          number(single),
          number(step),
          number(stream === undefined ? undefined : stream / TOKENS),
        ]
      }),
    ),
    "",
    "One more turn in a session of so many messages, model in the same process, µs of wall time:",
    "",
    ...table(
      ["", ...["trimmed", "whole"].flatMap((kind) => [`${kind}, 20`, "200", "2,000", "10,000"])],
      entries
        .filter(([, { sessions }]) => sessions)
        .map(([, { title, sessions }]) => [
          title,
          ...["trimmed", "whole"].flatMap((kind) =>
            [20, 200, 2_000, 10_000].map((size) => number(sessions?.[`fake ${kind} n=${size}`]?.wallUs?.med)),
          ),
        ]),
    ),
    "",
    "Sessions of 20 messages that nobody uses:",
    "",
    ...table(
      ["", "10,000 of them, MB", "each after ten turns of its own, kB"],
      entries
        .filter(([, { idle }]) => idle)
        .map(([, { title, idle }]) => [
          title,
          number(idle?.seeded && (idle.seeded.med * IDLE_SESSIONS) / 1e6),
          number(idle?.lived && idle.lived.med / 1_000),
        ]),
    ),
  ].join("\n")
}

function cpu({ turns }: Framework, name: string): string {
  const stat = turns?.[name]
  if (!stat?.cpuUs) return "–"
  return stat.cpuRatio ? `${number(stat.cpuUs.med)} (×${stat.cpuRatio.toFixed(1)})` : number(stat.cpuUs.med)
}

function number(value: number | null | undefined): string {
  if (value === undefined || value === null) return "–"
  if (value >= 100) return Math.round(value).toLocaleString("en")
  return value.toFixed(value >= 10 ? 1 : 2)
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] => [
  `| ${head.join(" | ")} |`,
  `|${head.map((_, index) => (index === 0 ? "---" : "---:")).join("|")}|`,
  ...rows.map((row) => `| ${row.join(" | ")} |`),
]
