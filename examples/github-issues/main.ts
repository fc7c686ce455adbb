import { argv, env, exit, stderr, stdin, stdout } from "node:process"
import { createInterface } from "node:readline/promises"
import { claude } from "@orra/claude"
import { approvalHook, errorMessage, messageText, Namespace, PolicyRegistry, Runtime } from "@orra/core"
import { githubTools } from "@orra/github"
import { fileStore } from "@orra/store-file"

try {
  await main(argv.slice(2))
} catch (error) {
  stderr.write(`${errorMessage(error)}\n`)
  exit(1)
}

async function main([repository, ...words]: readonly string[]): Promise<void> {
  const question = words.join(" ").trim()
  if (repository === undefined || question === "")
    throw new Error('Usage: pnpm start <owner/name> "<what you want to know or do>"')
  const terminal = createInterface({ input: stdin, output: stdout })
  const runtime = new Runtime({
    provider: claude({
      model: env["ISSUES_MODEL"],
      apiKey: env["ANTHROPIC_API_KEY"],
      baseURL: env["ANTHROPIC_BASE_URL"],
    }),
    tools: githubTools({
      repositories: [repository],
      ...(env["GITHUB_TOKEN"] && { auth: env["GITHUB_TOKEN"] }),
      ...(env["GITHUB_API_URL"] && { baseUrl: env["GITHUB_API_URL"] }),
    }),
    // Reading is free; whatever changes something on GitHub is asked about, each time.
    policies: new PolicyRegistry({ default: "deny", base: { allow: ["risk:network"], ask: ["risk:write"] } }),
    hooks: [
      approvalHook(async ({ call, signal }) => {
        const asked = `${call.name} ${JSON.stringify(call.arguments, undefined, 2)}\nDo it? (y/N) `
        const answer = await terminal.question(printable(asked), { signal })
        return /^y(es)?$/i.test(answer.trim())
          ? { decision: "approve", by: "terminal" }
          : { decision: "deny", reason: "The user said no." }
      }),
    ],
    // What was said about a repository is there again next time.
    store: await fileStore({ path: env["ISSUES_DATA"] ?? "data" }),
    systemPrompt: `You look after the issues and pull requests of ${repository}. Look before you answer, and name numbers. Be brief.`,
  })
  try {
    const session = Namespace.of("repository", ...repository.split("/"))
    for await (const event of runtime.stream(session, question)) {
      if (event.type === "assistant") stdout.write(printable(`${messageText(event.message)}\n`))
      if (event.type === "tool_intent" && event.decision === "deny")
        stdout.write(printable(`[${event.name} was not done]\n`))
      if (event.type === "run_finished" && event.error) throw new Error(event.error.message)
    }
  } finally {
    terminal.close()
    await runtime.close()
  }
}

/** What models and strangers write must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, "�")
}
