import type { Hooks } from "@orra/core"
import type { Logger } from "./log/log.ts"

/** A line for each run, call of the model and tool; what was said stays out of the log. */
export function runLog(logger: Logger): Hooks {
  return {
    name: "log",
    runStart: ({ namespace, runId }) => logger.debug({ session: namespace.key, run: runId }, "run started"),
    afterModel: ({ message, usage, finishReason }, { namespace }) =>
      logger.debug(
        {
          session: namespace.key,
          model: message.model,
          in: usage.inputTokens,
          out: usage.outputTokens,
          finishReason,
        },
        "model answered",
      ),
    afterTool({ name, status }, _call, { namespace }) {
      logger.info({ session: namespace.key, tool: name, status }, "tool called")
    },
    runEnd({ outcome, usage, error }, { namespace }) {
      const facts = { session: namespace.key, outcome, in: usage.inputTokens, out: usage.outputTokens }
      if (error) logger.warn({ ...facts, code: error.code }, `run failed: ${error.message}`)
      else logger.info(facts, "run finished")
    },
  }
}
