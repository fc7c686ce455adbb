import process, { env, exit, stderr, stdout } from "node:process"
import { claude } from "@orra/claude"
import { Approvals, ChannelAdapter, errorMessage, Namespace, PolicyRegistry, Runtime } from "@orra/core"
import { DiscordChannel, discordTools } from "@orra/discord"
import { fileStore } from "@orra/store-file"

try {
  await main()
} catch (error) {
  stderr.write(`${errorMessage(error)}\n`)
  exit(1)
}

async function main(): Promise<void> {
  const token = env["DISCORD_TOKEN"]
  if (!token) throw new Error("Set DISCORD_TOKEN to your bot's token: the README says where it is.")
  const api = env["DISCORD_API_URL"]
  const approvers = ids(env["DISCORD_APPROVERS"])
  const approvals = new Approvals()
  const runtime = new Runtime({
    provider: claude({
      model: env["DISCORD_MODEL"],
      apiKey: env["ANTHROPIC_API_KEY"],
      baseURL: env["ANTHROPIC_BASE_URL"],
    }),
    tools: discordTools({ token, ...(api !== undefined && { api }) }),
    // Looking around is free; what it writes in other places somebody has to allow.
    policies: new PolicyRegistry({ default: "deny", base: { allow: ["risk:network"], ask: ["risk:write"] } }),
    approvals,
    store: await fileStore({ path: env["DISCORD_DATA"] ?? "data" }),
    systemPrompt: "You are a helpful bot in a Discord server. Be brief, and use Discord's Markdown.",
  })
  const discord = new DiscordChannel({
    token,
    runtime,
    approvals,
    approvers,
    ...(api !== undefined && { api }),
    onStatus: ({ state, error }) => stdout.write(`${state}${error ? `: ${error.message}` : ""}\n`),
  })
  // What a crash cut short goes on.
  await runtime.recover(Namespace.of("discord"), { resume: true })
  const adapter = new ChannelAdapter(discord, runtime)
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void adapter.stop())
  try {
    await adapter.run()
  } finally {
    await runtime.close()
  }
}

function ids(list = ""): readonly string[] {
  return list.split(/[\s,]+/).filter((id) => id !== "")
}
