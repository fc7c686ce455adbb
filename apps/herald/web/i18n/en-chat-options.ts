import { t } from "./index.ts"

const { abilities } = t.agents

/** What is said about how one chat is answered. */
export const words = {
  title: "How this chat is answered",
  label: (set: readonly string[]) =>
    set.length === 0 ? "How this chat is answered" : `How this chat is answered: ${set.join(", ")}`,

  effort: "Thinking",
  effortNote: "More takes longer and costs more.",
  usual: "Usual",
  efforts: { off: "Off", low: "Low", medium: "Medium", high: "High" },
  thinks: { off: "without thinking", low: "thinks little", medium: "thinks a while", high: "thinks hard" },

  mode: "What it may do",
  ask: "As configured",
  askNote: "The rules say what runs, what you are asked about, and what is refused.",
  readOnly: "Read only",
  readOnlyNote: "It may look things up and read. What writes, runs programs or orders something is refused.",
  isReadOnly: "reads only",
  everything: "Approve everything",
  everythingNote:
    "For a while nothing is asked about. What the rules refuse stays refused, and the time left is shown above.",
  notBegun: "Once the chat has begun.",
  howLong: "For how long",
  minutes: { 5: "5 minutes", 15: "15 minutes", 60: "1 hour", 240: "4 hours" },

  tools: "Tools",
  toolsNote: "What is off is not there in this chat. It never allows more than Settings and the rules do.",
  off: (count: number) => (count === 1 ? "one tool off" : `${count} tools off`),
  families: {
    memory: abilities.memory,
    documents: abilities.documents,
    schedules: abilities.schedules,
    web: "read web pages and search the web",
    images: abilities.pictures,
    files: "read and write files",
    exec: abilities.commands,
    claude_code: abilities.claudeCode,
    github: abilities.github,
    plans: abilities.plans,
    discord: abilities.discord,
    agents: abilities.others,
  } as Readonly<Record<string, string>>,
  server: t.agents.uses,
}
