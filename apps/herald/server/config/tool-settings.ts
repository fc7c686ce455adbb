import {
  boolean,
  choice,
  integer,
  list,
  matchers,
  path,
  requiredText,
  secret,
  secrets,
  section,
  text,
  texts,
} from "./field.ts"

// What the assistant may use.

export const tools = section("What the assistant can do. On by default: reading only.", {
  web_fetch: boolean(true, "Read a public web page. Addresses of the local network are refused."),
  browser: boolean(
    true,
    "Read the article of a public web page, without what stands around it (`read_url`).",
  ),
  web_search: boolean(false, "Search the web (`web_search`)."),
  web_search_provider: choice(
    ["brave", "searxng", "tavily"],
    "brave",
    "Who searches. Brave and Tavily need `web_search_api_key`, SearXNG `web_search_url`.",
  ),
  web_search_api_key: secret("The key of Brave Search or Tavily."),
  web_search_url: text(
    undefined,
    "The address of a SearXNG, such as `https://search.example.org`, which allows the format `json`.",
  ),
  exec: boolean(
    false,
    "Run programs. Everybody has a folder of their own for it, `work` in the data directory.",
  ),
  exec_allowed_commands: texts(
    [],
    'What may run without somebody who agrees: a program with any harmless arguments (`"ls"`), or with just these (`"git status"`, `"ls -l *"`). Anything else is asked about, and refused where nobody can be asked.',
    { was: "empty was everything, and the line went to a shell" },
  ),
  exec_timeout_secs: integer(30, "Seconds a command may take that does not say so itself.", {
    min: 1,
    max: 86_400,
  }),
  exec_working_directory: path(
    undefined,
    "Another folder for the owner's commands. The data directory may not be in it.",
  ),
  exec_isolation: choice(
    ["auto", "required", "off"],
    "auto",
    "Isolation by bubblewrap: where the system has it, or nothing runs without it, or never. Without it a command that is allowed can read what Herald can.",
  ),
  exec_network: boolean(
    false,
    "Whether an isolated command has the network. Without isolation every one has it.",
  ),
  exec_shell: boolean(
    false,
    "Whether somebody may be asked about commands that need a shell: pipes, redirections, variables, globs. Otherwise they are refused.",
    { was: "as if true, without a question" },
  ),
  filesystem: boolean(
    false,
    "Read, search and write files. Everybody has a folder of their own for it, the same as for `exec`.",
  ),
  filesystem_base_dir: path(
    undefined,
    "Another folder for the owner's files. Herald's own data and configuration are never reached in it.",
    { was: "none was the whole machine" },
  ),
  directories: texts(
    [],
    "Further folders that the owner may choose for a chat, or one below them: its tools then work there and nowhere else.",
    { was: "any folder of the machine" },
  ),
  filesystem_write: choice(
    ["ask", "allow", "deny"],
    "ask",
    "Whether files may be written: somebody is asked, and it is refused where nobody can be asked; or always; or never.",
    { was: "as if `ask`" },
  ),
  filesystem_max_read_size: integer(
    1_048_576,
    "Most bytes it reads of a file at once. Larger files are read in parts.",
    { min: 1, was: "larger files were not read at all" },
  ),
  filesystem_max_write_size: integer(5_242_880, "Largest file it writes or edits, in bytes.", { min: 1 }),
  filesystem_protected_paths: texts(
    [],
    'Names, globs and paths that are neither read nor changed, besides those of keys, passwords and version control that never are; `"!name"` takes one of these back.',
    { was: "not changed, but read" },
  ),
  discord: boolean(true, "Read in Discord, and write when somebody agrees, where there is a bot's token."),
  documents: boolean(true, "Search the documents that each person gave it, and those of `[documents]`.", {
    was: "`false`, and there was no way to add one",
  }),
  image_gen: boolean(
    false,
    "Make and change pictures. They cost money: `[image]` and `[budget]` say how much.",
  ),
  image_gen_api_key: secret("OpenAI's key for pictures, or that of `image.api_url`."),
  delegation: boolean(
    false,
    "Hand tasks to helpers of its own. Where there are several agents they hand tasks to one another in any case.",
  ),
  claude_code: boolean(
    false,
    "Hand tasks to Claude Code, which has to be installed. It works in each person's folder by rules of its own, with the login of whoever runs Herald.",
  ),
  claude_code_allowed_tools: texts(["Read", "Edit", "Bash"], "Tools Claude Code may use."),
  claude_code_max_turns: integer(10, "Its turns at most.", { min: 1 }),
  claude_code_max_usd: integer(5, "What one task may cost, in USD.", { min: 1 }),
  claude_code_timeout_secs: integer(300, "Seconds it may take.", { min: 1, max: 86_400 }),
  claude_code_skip_permissions: boolean(false, "Run it without its own questions."),
  claude_code_working_directory: path(undefined, "Another folder for the owner's tasks."),
})

export const github = section("Issues and pull requests. On when `repositories` names some.", {
  repositories: texts([], "Those it may read, as `owner/name`; the first is meant where none is named."),
  token: secret("A token for them. Without one only public repositories can be read."),
  write: boolean(false, "Create, comment, review, close and merge as well."),
  api_url: text(undefined, "GitHub Enterprise Server: `https://github.example.org/api/v3`."),
})

export const plan_engine = section("Plans across services (`plan`). On when `url` names a plan engine.", {
  url: text(undefined, "Where it is, such as `http://127.0.0.1:8005`."),
  api_key: secret("A key of one of its projects."),
  plans: choice(
    ["ask", "allow"],
    "ask",
    "Whether somebody is asked about each plan, and it is refused where nobody can be asked; or none.",
  ),
  timeout_secs: integer(600, "Seconds a plan may take. Then it is cancelled, and what was done is undone.", {
    min: 1,
    max: 86_400,
  }),
})

export const mcp = section("Servers of the Model Context Protocol. Their tools are named `server__tool`.", {
  servers: list("A server: a program, or one on the network.", {
    name: requiredText("Its name: letters, digits and `-`, at most 32."),
    enabled: boolean(true, "Whether it is used. One that is not keeps its settings, and is not contacted."),
    command: text(undefined, "The program.", { example: "npx" }),
    args: texts([], "Its arguments. `--check` does not show them.", { hidden: true }),
    env: secrets("Its environment. Of Herald's own it has `PATH`, `HOME` and the like, and nothing else.", {
      was: "added to all of Herald's, keys included",
    }),
    url: secret("The address of one on the network, instead of a program."),
    headers: secrets("Sent with every request, such as `Authorization`."),
    transport: choice(["http", "sse"], "http", "`sse` for servers that know only the protocol of 2024."),
    tools: texts([], "Which of its tools there are, by its own names. Empty means all."),
    allow: texts(
      [],
      "Tools that may be called without somebody who agrees, by its own names; `*` stands for anything. Any other is asked about, and refused where nobody can be asked. Its resources and prompts may be read.",
      { was: "all of them" },
    ),
    trusted: boolean(
      false,
      "Believe what it says of its tools: those that only read need nobody who agrees, and nobody minds calling them twice.",
    ),
    accept_changes: boolean(
      false,
      "Take its tools as they are now. Otherwise somebody is asked about each that is not what it was when Herald first saw it.",
      { was: "as if true" },
    ),
    timeout_secs: integer(60, "Seconds it may say nothing while it connects or works.", {
      min: 1,
      max: 86_400,
      was: "none: it was waited for without end",
    }),
  }),
})

export const policy = list(
  "Rules of your own about tools, besides what the other sections say. A rule holds where all that it names fits; of several that fit deny counts before ask, ask before allow.",
  {
    decision: choice(
      ["deny", "ask", "allow"],
      "deny",
      "`deny` refuses, `ask` asks somebody, or refuses where nobody can be asked. `allow` needs `tools`, and says yes where a tool would be asked about by its name; it takes back no other rule.",
    ),
    tools: texts([], "Names or globs of tools, such as `github_*`. Empty means all."),
    risk: texts([], "`read`, `write`, `exec`, `network`: which kinds of tools. Empty means all."),
    arguments: matchers(
      'What arguments must be: `{ path = "secret/*" }`, `{ "/recipients/*" = ["ann", "bob"] }`, `{ amount = { min = 100 } }`.',
    ),
    tainted: boolean(false, "Only in chats that have read what strangers wrote, such as a web page."),
    agents: texts([], "Names of assistants. Empty means all."),
    channels: texts(
      [],
      "`web`, `discord`, `api`, `schedule`, `peer`: where it is asked for. Empty means everywhere.",
    ),
    people: texts([], "`owner`, names of `gateway.keys`, ids of Discord users. Empty means everybody."),
    reason: text("", "Why, for whoever is asked or refused."),
  },
)
