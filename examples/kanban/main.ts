import { argv, exit, stderr, stdin, stdout } from "node:process"
import { createInterface } from "node:readline/promises"
import { parseArgs } from "node:util"
import { errorMessage, messageText, Runtime } from "@orra/core"
import { exampleBoard } from "./board.ts"
import { providerFromEnv } from "./model.ts"
import { roleOf, rolePolicies, sessionOf, type User } from "./roles.ts"
import { boardTools } from "./tools.ts"

const help = "/switch <user> [role], /board, /quit; anything else is said to the agent."

try {
  await main()
} catch (error) {
  stderr.write(`${errorMessage(error)}\n`)
  exit(1)
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: argv.slice(2),
    options: { user: { type: "string", default: "ann" }, role: { type: "string", default: "member" } },
  })
  let user: User = { name: values.user, role: roleOf(values.role) }
  const board = exampleBoard()
  const runtime = new Runtime({
    provider: providerFromEnv(),
    tools: boardTools(board),
    policies: rolePolicies(),
    maxTurns: 5,
    maxTokens: 1_024,
    temperature: 0.3,
    systemPrompt: ({ namespace }) => {
      const [, role, name] = namespace.segments
      return `You keep the board of a small team. You are talking to ${name}, a ${role}. Be brief. Look at the board before you answer about it; when a tool refuses, say why and do not try another way.`
    },
  })

  const terminal = createInterface({ input: stdin, output: stdout })
  terminal.on("SIGINT", async () => {
    // The first Ctrl-C stops the answer, the next one the program.
    if (!(await runtime.stop(sessionOf(user)))) terminal.close()
  })
  const prompt = (): void => {
    terminal.setPrompt(`${user.name} (${user.role})> `)
    terminal.prompt()
  }

  stdout.write(`${help}\n`)
  prompt()
  for await (const line of terminal) {
    const [command = "", ...words] = line.trim().split(/\s+/)
    try {
      if (command === "/quit") break
      else if (command === "/board") stdout.write(`${printable(String(board))}\n`)
      else if (command === "/switch") user = switched(user, words)
      else if (command.startsWith("/")) stdout.write(`${help}\n`)
      else if (command !== "") await say(runtime, user, line)
    } catch (error) {
      stdout.write(`${printable(errorMessage(error))}\n`)
    }
    prompt()
  }
  terminal.close()
  await runtime.close()
}

/** Everybody has a conversation of their own, which goes on where it was. */
function switched(user: User, [name, role]: readonly string[]): User {
  if (name === undefined) throw new Error("Usage: /switch <user> [role]")
  return { name, role: role === undefined ? user.role : roleOf(role) }
}

/** Says something to the agent and shows the answer while it is written. */
async function say(runtime: Runtime, user: User, text: string): Promise<void> {
  /** How much of the present answer is on the screen. */
  let shown = 0
  const write = (text: string): void => void stdout.write(printable(text))
  for await (const event of runtime.stream(sessionOf(user), text)) {
    switch (event.type) {
      case "delta":
        for (const piece of event.pieces) {
          if (piece.type !== "text") continue
          write(piece.text)
          shown += piece.text.length
        }
        break
      case "assistant":
        // The whole answer: its last pieces come with it.
        if (messageText(event.message) !== "") write(`${messageText(event.message).slice(shown)}\n`)
        shown = 0
        break
      case "tool_intent":
        write(
          `[${event.name} ${JSON.stringify(event.arguments)}${event.decision === "allow" ? "" : " refused"}]\n`,
        )
        break
      case "run_finished":
        if (event.error) write(`${event.error.message}\n`)
        break
    }
  }
}

/** What models and users write must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, "�")
}
