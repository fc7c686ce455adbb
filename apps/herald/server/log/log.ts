import { join } from "node:path"
import { errorMessage, isObject } from "@orra/core"
import { type Logger, multistream, pino } from "pino"
import type { Config } from "../config/settings.ts"
import { type RotatingFile, rotatingFile } from "./rotating-file.ts"

export type { Logger } from "pino"

export interface Log {
  readonly logger: Logger
  /** From now on this text appears in no line. */
  hide(secret: string | undefined): void
  /** From now on this is the least that is worth a line. */
  setLevel(level: Config["logging"]["level"]): void
  close(): void
}

export interface TextOutput {
  write(text: string): unknown
  readonly isTTY?: boolean
}

/** Fields that are secrets wherever they appear. */
const REDACTED = ["apiKey", "api_key", "authorization", "token", "key", "cookie", "password"]

/**
 * The log: to the terminal, one readable line each (JSON when it is not a terminal), and to `logs/herald.log` of
 * the data directory as JSON.
 */
export function openLog(options: {
  readonly level: Config["logging"]["level"]
  readonly dataDir: string
  readonly terminal: TextOutput
}): Log {
  const { level, dataDir, terminal } = options
  const path = join(dataDir, "logs", "herald.log")
  const file = openFile(path, terminal)
  const secrets = new Set<string>()
  const scrub = (line: string) => {
    let clean = line
    for (const secret of secrets) clean = clean.replaceAll(secret, "[hidden]")
    return clean
  }
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: REDACTED.flatMap((name) => [name, `*.${name}`]), censor: "[hidden]" },
    },
    multistream(
      [
        // What is worth a line is said by the logger.
        {
          level: "trace",
          stream: { write: (line: string) => terminal.write(readable(scrub(line), terminal)) },
        },
        { level: "trace", stream: { write: (line: string) => file?.write(scrub(line)) } },
      ],
      { dedupe: false },
    ),
  )
  return {
    logger,
    hide(secret) {
      // Shorter ones would blank out ordinary words.
      if (secret !== undefined && secret.length >= 8) secrets.add(JSON.stringify(secret).slice(1, -1))
    },
    setLevel(next) {
      logger.level = next
    },
    close: () => file?.close(),
  }
}

/** Without its file the log goes on, on the terminal alone. */
function openFile(path: string, terminal: TextOutput): RotatingFile | undefined {
  try {
    return rotatingFile({ path })
  } catch (error) {
    terminal.write(`The log cannot be written to ${path} (${errorMessage(error)}); it is only shown here.\n`)
    return undefined
  }
}

function readable(line: string, { isTTY }: TextOutput): string {
  if (!isTTY) return line
  const entry: unknown = JSON.parse(line)
  if (!isObject(entry)) return line
  const { time, level, msg, err, ...rest } = entry
  const clock = typeof time === "string" ? new Date(time).toTimeString().slice(0, 8) : ""
  const facts = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  )
  const cause = isObject(err) ? [String(err["message"] ?? "")] : []
  return `${[clock, String(level).padEnd(5), String(msg ?? ""), ...facts, ...cause].join(" ").trimEnd()}\n`
}
