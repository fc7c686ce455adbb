import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process, { argv, stderr, stdout } from "node:process"
import { errorMessage } from "@orra/core"
import { orchestrate } from "@orra/plan-sdk"
import { startEcho } from "./echo.ts"
import { engineFromEnv } from "./engine.ts"

const folder = await mkdtemp(join(tmpdir(), "plan-echo-"))
try {
  await main(argv.slice(2).join(" ").trim() || "Hello, plan!")
} catch (error) {
  stderr.write(`${errorMessage(error)}\n`)
  process.exitCode = 1
} finally {
  await rm(folder, { recursive: true })
}

async function main(message: string): Promise<void> {
  const engine = await engineFromEnv(folder)
  const echo = await startEcho({
    orraUrl: engine.url,
    orraKey: engine.apiKey,
    persistenceOpts: { filePath: join(folder, "echo.json") },
  })
  try {
    const end = await orchestrate(
      engine,
      { action: "Echo this message.", data: { message } },
      {
        onPlan: (tasks) =>
          stdout.write(`plan: ${tasks.map(({ id, service }) => `${id} by ${service}`).join(", ")}\n`),
        onEntry: ({ type, task, data }) => {
          if (type === "task_progress") stdout.write(`${task}: ${printable(JSON.stringify(data))}\n`)
        },
      },
    )
    stdout.write(`${end.status}: ${printable(JSON.stringify(end.results ?? end.error))}\n`)
  } finally {
    await echo.shutdown()
    await engine.close()
  }
}

/** What models and services write must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, "�")
}
