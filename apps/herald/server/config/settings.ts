import {
  boolean,
  choice,
  decimal,
  integer,
  list,
  matchers,
  path,
  requiredSecret,
  requiredText,
  secret,
  secrets,
  section,
  text,
  texts,
  type ValuesOf,
} from "./field.ts"

/** Every section and key of `assistant.toml`, in the order the documentation shows them. */
export const settings = {
  data_dir: path(
    "./data",
    "Where Herald keeps everything: sessions, settings, logs. `--data-dir` and `HERALD_DATA_DIR` go before it.",
  ),

  agent: section("Who the assistant is.", {
    name: text("Atlas", "The name it knows itself by."),
    personality: text("friendly, helpful, and concise", "How it should be, in a few words."),
    system_prompt: text(
      undefined,
      "Who it is and how it answers, in place of its personality. Its name, the day, the time zone and where it is are said after it.",
    ),
  }),

  agents: list(
    "Several assistants, in place of `[agent]`: the first answers where none is chosen. More can be made in the page.",
    {
      name: requiredText("The name it knows itself by."),
      personality: text("friendly, helpful, and concise", "How it should be, in a few words."),
      system_prompt: text(
        undefined,
        "Who it is and how it answers, in place of its personality. Its name, the day, the time zone and where it is are said after it.",
      ),
      model: text(undefined, "The model it answers with, instead of `provider.model`.", {
        was: "shown, never used",
      }),
      tools: texts(
        ["*"],
        "The tools it may use, by name or glob such as `web_*`: of those that whoever talks to it may.",
      ),
    },
  ),

  provider: section("The model service.", {
    provider_type: choice(
      ["claude", "openai"],
      "claude",
      "Which protocol it speaks: Anthropic's or OpenAI's.",
    ),
    api_key: secret(
      "The key. Without one: `ANTHROPIC_API_KEY` for claude, `OPENAI_API_KEY` for openai, then the login of the Claude CLI (claude only, read and never changed), then the key saved from the web page.",
      { was: "`ANTHROPIC_API_KEY` and the Claude login were also sent to openai" },
    ),
    model: text(undefined, "The model. Default: `claude-opus-4-6` for claude, `gpt-5.1` for openai.", {
      was: "`claude-opus-4-6`, whatever the provider",
    }),
    api_url: text(
      undefined,
      "The address of a compatible server: its base (`http://localhost:11434/v1`) or the full endpoint. No key is needed then.",
      { was: "ignored for claude; for openai only the full endpoint" },
    ),
    openai_api: choice(
      ["chat", "responses"],
      "chat",
      "With openai: Chat Completions, which every compatible server knows, or Responses, where the model gets back what it thought between its tool calls.",
    ),
    max_tokens: integer(4096, "Most tokens the model may write in one answer.", { min: 1 }),
    temperature: decimal(
      undefined,
      "0 is steady, higher is freer. Sent only when it is set: newer models refuse it.",
      { min: 0, max: 2, was: "`0.7`, always sent" },
    ),
    cheap_model: text(undefined, "The model for light scheduled jobs. Default: `model`."),
  }),

  gateway: section("The web page and the HTTP API.", {
    enabled: boolean(true, "Always on: without it nobody could reach Herald.", {
      off: true,
      later: "always on in this version",
      was: "`false`, and always taken as true",
    }),
    host: text(
      "127.0.0.1",
      "The address to listen on. Beyond this machine `api_key` is needed, and TLS by a proxy, or `insecure`.",
      { was: "`0.0.0.0`: open to the network" },
    ),
    port: integer(8080, "The port. 0 takes any free one.", { max: 65_535 }),
    api_key: secret(
      "Bearer key of the owner, for programs; the page takes it too. Otherwise the page logs in by the link printed at start.",
    ),
    allowed_hosts: texts(
      [],
      "Further names under which Herald may be called, such as `herald.example.org`. Needed behind a proxy.",
      { was: "any" },
    ),
    trusted_proxies: texts([], "Addresses of proxies whose `X-Forwarded-*` headers are believed.", {
      was: "none read",
    }),
    insecure: boolean(
      false,
      "Listen beyond this machine without TLS. Keys and chats can then be read on the way.",
      { was: "as if true" },
    ),
    share_links: boolean(
      false,
      "Let people give out links to copies of their chats, which whoever has the link reads without logging in, until it ends.",
    ),
    keys: list("Keys for other people or programs, each in a namespace of its own.", {
      name: requiredText("Who it is."),
      key: requiredSecret("The bearer key."),
      namespace: requiredText("Where its sessions live, such as `family:ada`. Namespaces may not overlap."),
      approve: boolean(
        false,
        "Whether it may allow what is asked about in its own chats, as you may in yours. Otherwise that is refused.",
      ),
    }),
  }),

  tools: section("What the assistant can do. On by default: reading only.", {
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
  }),

  github: section("Issues and pull requests. On when `repositories` names some.", {
    repositories: texts([], "Those it may read, as `owner/name`; the first is meant where none is named."),
    token: secret("A token for them. Without one only public repositories can be read."),
    write: boolean(false, "Create, comment, review, close and merge as well."),
    api_url: text(undefined, "GitHub Enterprise Server: `https://github.example.org/api/v3`."),
  }),

  plan_engine: section("Plans across services (`plan`). On when `url` names a plan engine.", {
    url: text(undefined, "Where it is, such as `http://127.0.0.1:8005`."),
    api_key: secret("A key of one of its projects."),
    plans: choice(
      ["ask", "allow"],
      "ask",
      "Whether somebody is asked about each plan, and it is refused where nobody can be asked; or none.",
    ),
    timeout_secs: integer(
      600,
      "Seconds a plan may take. Then it is cancelled, and what was done is undone.",
      {
        min: 1,
        max: 86_400,
      },
    ),
  }),

  sessions: section("Where conversations are kept.", {
    store: choice(
      ["file", "memory"],
      "file",
      "`file`: in the data directory. `memory`: gone when Herald stops.",
    ),
    url: secret(
      "A PostgreSQL database for everything that lasts, in place of the file: `postgres://user:password@host/database`. One Herald at a time uses it.",
    ),
    path: path(
      "sessions",
      "Where the original kept one file per chat, in the data directory: they are taken over once.",
    ),
  }),

  context: section("How much of a conversation the model is sent.", {
    max_tokens: integer(200_000, "The model's window, in tokens.", { min: 1000 }),
    reserved_for_output: integer(4096, "Tokens of it kept for the answer.", { min: 1 }),
  }),

  budget: section(
    "What may be spent on models: by the owner, by each key, and by all of Discord, each for itself. What a call may cost at most is set aside before it is made. Days and months are those of UTC.",
    {
      usd_per_run: decimal(undefined, "Most US dollars for one answer, with all that is handed on for it.", {
        min: 0,
      }),
      usd_per_day: decimal(undefined, "Most US dollars a day.", { min: 0 }),
      usd_per_month: decimal(undefined, "Most US dollars a month.", { min: 0 }),
      at_limit: choice(
        ["stop", "ask", "cheap"],
        "stop",
        "What happens then: the answer ends; it waits until you allow more under Settings, Usage, or the next window begins; or it goes on with `provider.cheap_model` while there is room for that.",
      ),
    },
  ),

  logging: section("The log, on the terminal and in `logs/` of the data directory.", {
    level: choice(["trace", "debug", "info", "warn", "error"], "info", "The least that is worth a line.", {
      was: "never read",
    }),
  }),

  memory: section("Long-term memory, of each person by itself.", {
    enabled: boolean(true, "Remember, recall and forget facts, in all chats of a person."),
  }),

  documents: section("Documents it can search, besides those that people give it in the page.", {
    sync_minutes: integer(10, "How often folders are read again, in minutes. 0: only at the start.", {
      max: 10_080,
    }),
    folders: list("A folder, or a file: Markdown, text, HTML and PDF in it are documents of the owner.", {
      path: requiredText("Where it is."),
      name: text(undefined, "What its documents' names begin with. Default: the folder's own name.", {
        example: "handbook",
      }),
      shared: boolean(false, "Documents of everybody who may talk to this Herald, in Discord as well."),
    }),
    embeddings: section("What finds documents by what they mean, besides by their words. On with a model.", {
      model: text(undefined, "The embedding model.", { example: "nomic-embed-text" }),
      api_url: text(
        undefined,
        "A server with OpenAI's `/embeddings`. Default: OpenAI's own, where it costs money.",
        { example: "http://localhost:11434/v1" },
      ),
      api_key: secret("Its key, where it wants one."),
      usd_per_million_tokens: decimal(
        undefined,
        "What it costs, for the owner's budget. Default: what is known of OpenAI's models, and nothing on a server of your own.",
        { min: 0 },
      ),
    }),
  }),

  image: section("Pictures, with `tools.image_gen`.", {
    model: text("gpt-image-2.6-flare", "The model that makes them.", { was: "`dall-e-3`, which has ended" }),
    api_url: text(undefined, "A server with OpenAI's `/images`. Default: OpenAI's own.", {
      example: "http://localhost:8000/v1",
    }),
    max_usd: decimal(0.5, "What one picture can cost at most, and counts as where nobody knows, in USD.", {
      min: 0,
    }),
  }),

  voice: section("Dictating messages and hearing answers, in the page.", {
    enabled: boolean(false, "Send recordings and answers to the service below."),
    api_key: secret("Its key, where it wants one."),
    api_url: text(
      undefined,
      "A server with OpenAI's `/audio`. Default: OpenAI's own, which reads aloud until 6 January 2027.",
      {
        example: "http://localhost:8000/v1",
      },
    ),
    transcription_model: text("gpt-transcribe", "The model that writes down what is said."),
    speech_model: text("gpt-4o-mini-tts", "The model that reads aloud."),
    voice: text("alloy", "Whose voice that is."),
  }),

  discord: section("The Discord channel. Without a token there is none.", {
    enabled: boolean(true, "Whether it is connected. Off keeps everything else as it is."),
    token: secret("The bot's token, from the Developer Portal."),
    filter: choice(
      ["mentions", "all", "dm"],
      "mentions",
      "Which messages it answers: those that mention it, everything in its servers, or private ones of `allowed_users`.",
    ),
    threads: boolean(
      false,
      "Whether each question in a channel is answered in a thread of its own. The bot needs the permission Create Public Threads.",
    ),
    namespace_prefix: text("discord", "The first segments of its sessions' namespaces."),
    allowed_users: texts(
      [],
      "Ids of those who may talk to it (Developer Mode, Copy User ID). Empty means everybody it hears, and in private those who have linked their account.",
      {
        was: "user names, which anybody can take",
      },
    ),
    approvers: texts(
      [],
      "Ids of those who may allow what is asked about. Empty means that nobody is asked there and it is refused.",
      { was: "whoever had asked" },
    ),
    approvals_channel: text(
      "",
      "The id of a channel (Developer Mode, Copy Channel ID) where what the owner's chats and jobs wait for is shown too, for `approvers` to allow. Whoever reads the channel reads it.",
    ),
  }),

  cron: section(
    "Jobs at their times: made in chats, such as by `remind me tomorrow at nine`, or in the page.",
    {
      enabled: boolean(true, "Do them."),
      path: path(
        "cron_jobs.json",
        "Where the original kept its jobs, in the data directory: they are taken over once.",
      ),
    },
  ),

  scheduler: section("Jobs of this file.", {
    enabled: boolean(false, "Do them.", { was: "a line in the log was all they did" }),
    jobs: list("A job: the assistant is asked at its times.", {
      name: requiredText("Its name."),
      schedule: requiredText("When, as a cron expression: minute, hour, day of month, month, day of week.", {
        example: "0 8 * * MON-FRI",
      }),
      channel: requiredText(
        "Where the result goes: the id of a channel in Discord, a chat such as `web:...`, or `own` for a chat of its own.",
        { example: "own" },
      ),
      message: requiredText("What is asked."),
      timezone: text(undefined, "The time zone of `schedule`, such as `Europe/Oslo`. Default: the owner's.", {
        example: "Europe/Oslo",
        was: "UTC",
      }),
    }),
  }),

  mcp: section("Servers of the Model Context Protocol. Their tools are named `server__tool`.", {
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
  }),

  policy: list(
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
  ),

  federation: section(
    "Other Heralds: their agents answer here as `name:agent`, and they may ask agents here. Both sides name each other, with the same secret.",
    {
      enabled: boolean(false, "Talk to them."),
      instance_name: text(
        undefined,
        "This one's name among them: letters, digits and `-`. Default: the machine's.",
      ),
      host: text("127.0.0.1", "The address that is listened on for them, apart from the page's.", {
        was: "always every address",
      }),
      port: integer(undefined, "The port for them. Default: `gateway.port` plus 1.", { max: 65_535 }),
      insecure: boolean(
        false,
        "Listen beyond this machine without TLS, such as in a network that is yours alone.",
      ),
      allowed_hosts: texts([], "Further names under which they may call it."),
      shared_secret: secret("For peers that have none of their own. It is never sent, keys are made of it.", {
        was: "sent to whoever said on the network that it is a Herald",
      }),
      mdns_enabled: boolean(
        true,
        "Look for others on the local network, to show them; nothing is sent to them. Where `host` is not this machine alone, be found there too.",
      ),
      exposed_agents: texts([], "Agents they may talk to. Empty means all."),
      tools: texts(
        [],
        "Tools that agents here may use when they are asked from elsewhere, by name or glob. What policy asks about you decide.",
        { was: "all" },
      ),
      peers: list("Another Herald.", {
        name: requiredText("Its `instance_name`."),
        url: text(undefined, "Where it listens for others. Without it, it may ask here and is not asked.", {
          example: "https://laptop.example:8081",
        }),
        shared_secret: secret("The secret that it has for this one too, 24 characters at least."),
        lends: texts(
          [],
          "Tools of this Herald that its agents may use here: they think there, what they call is done here, as policy here says. Empty means they work with what they have there.",
        ),
        sessions: choice(
          ["none", "read", "chat"],
          "none",
          "Your own chats: `read` shows them to it, `chat` lets it write in them as if it were you.",
          { was: "chat, for all" },
        ),
      }),
    },
  ),

  updates: section("New versions. Nobody is asked for them but when you say so in the page.", {
    registry: text("https://registry.npmjs.org", "The registry that is asked."),
  }),

  push: section("Notifications on the devices of those who switch them on in the page.", {
    enabled: boolean(
      true,
      "Let people switch them on. Nobody is contacted before somebody has; then the push service of their browser is.",
    ),
    contact: text(
      undefined,
      "Whom a push service may write to if something is wrong, as it wants to be told: `mailto:` or `https:`. Default: nobody.",
      { example: "mailto:you@example.org" },
    ),
  }),

  audit: section("Who did what, without what was said: `herald audit` shows it.", {
    enabled: boolean(
      false,
      "Write down every run, every decision about a tool and who made it, what budgets and policy changed, what the page set: in chains of hashes, so that `herald audit --verify` finds what was changed later. An answer takes about a millisecond longer.",
    ),
  }),

  metrics: section("Numbers for monitoring, without anything that is said: `GET /metrics`, for Prometheus.", {
    enabled: boolean(false, "Collect them."),
    token: secret("A bearer key that may read them and nothing else. The owner's may as well."),
    log_metrics: boolean(
      false,
      "Write them to the log, every quarter of an hour in which something happened.",
    ),
  }),
} as const

/** The whole configuration, by the names of the file: `config.gateway.port`. */
export type Config = ValuesOf<typeof settings>
