import { isObject, parseJson } from "@orra/core"
import { type Logger, pino } from "pino"
import type { LogLevel } from "./settings.ts"

export interface TextOutput {
  write(text: string): unknown
  readonly isTTY?: boolean
}

/** Fields that are secrets wherever they appear. */
const REDACTED = ["apiKey", "adminKey", "authorization", "webhookSecret"]

/** A line for each: readable at a terminal, JSON for anything else. */
export function openLog(options: {
  readonly level: LogLevel
  readonly hasErrorStacks: boolean
  readonly output: TextOutput
}): Logger {
  const { level, hasErrorStacks, output } = options
  const { err } = pino.stdSerializers
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: {
        err: (error: Error) => {
          const { stack, ...rest } = err(error)
          return hasErrorStacks ? { ...rest, stack } : rest
        },
      },
      redact: { paths: REDACTED.flatMap((name) => [name, `*.${name}`]), censor: "[hidden]" },
    },
    { write: (line: string) => output.write(output.isTTY ? readable(line) : line) },
  )
}

function readable(line: string): string {
  const parsed = parseJson(line)
  if (!isObject(parsed)) return line
  const { level, time, msg, err, ...facts } = parsed as Readonly<Record<string, unknown>>
  const shown = Object.entries(facts).map(
    ([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  )
  const clock = String(time).slice(11, 19)
  const head = [clock, String(level).padEnd(5), String(msg ?? ""), ...shown].join(" ")
  if (!isObject(err)) return `${head}\n`
  const { stack, message } = err as Readonly<Record<string, unknown>>
  return `${head}\n  ${String(stack ?? message)}\n`
}
