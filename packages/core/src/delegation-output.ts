import type { Json } from "./json.ts"
import type { RunResult, Submission } from "./run.ts"
import type { ToolOutput } from "./tool.ts"

/** What the caller and whoever looks at its session are told of how the task ended. */
export function output(
  name: string,
  agent: string,
  { namespace }: Submission,
  { runId, outcome, usage, text: said, error }: RunResult,
  untrusted: boolean,
): ToolOutput {
  const structured: Json = { agent, session: namespace.key, runId, usage: { ...usage }, outcome }
  const problem =
    outcome === "completed"
      ? undefined
      : outcome === "max_turns"
        ? `${name} did not finish within its number of steps.`
        : outcome === "failed" && error
          ? `${name} failed: ${error.message}`
          : `${name} was stopped before it had finished${error ? `: ${error.message}` : "."}`
  const texts = problem
    ? [problem, said && `So far it said:\n${said}`]
    : [said || `${name} had nothing to say.`]
  return {
    content: [{ type: "text", text: texts.filter(Boolean).join("\n\n") }],
    structured,
    ...(problem && { isError: true }),
    ...(untrusted && { untrusted: true }),
  }
}
