import { discord, federation, gateway, push } from "./channel-settings.ts"
import {
  boolean,
  choice,
  decimal,
  integer,
  list,
  path,
  requiredText,
  secret,
  section,
  text,
  texts,
  type ValuesOf,
} from "./field.ts"
import { github, mcp, plan_engine, policy, tools } from "./tool-settings.ts"

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
      "The key. Without one: `ANTHROPIC_API_KEY` for claude, `OPENAI_API_KEY` for openai (which is used where nothing is said and there is none for claude), then the login of the Claude CLI (claude only, read and never changed), then the key saved from the web page.",
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

  gateway,

  tools,

  github,

  plan_engine,

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

  discord,

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

  mcp,

  policy,

  federation,

  updates: section("New versions. Nobody is asked for them but when you say so in the page.", {
    registry: text("https://registry.npmjs.org", "The registry that is asked."),
  }),

  push,

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
