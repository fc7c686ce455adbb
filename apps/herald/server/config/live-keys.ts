/** Sections whose values take effect as soon as they change; those of all others after a restart. */
export const LIVE: readonly string[] = [
  "agent",
  "agents",
  "provider",
  "tools",
  "github",
  "plan_engine",
  "image",
  "discord",
  "mcp",
  "policy",
  "federation",
  "logging",
  "budget",
  "updates",
  "push",
]

/** What is not live in them. */
export const AT_START: readonly string[] = [
  "provider.max_tokens",
  "provider.temperature",
  "discord.namespace_prefix",
]
