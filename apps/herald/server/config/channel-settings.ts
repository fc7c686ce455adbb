import {
  boolean,
  choice,
  integer,
  list,
  requiredSecret,
  requiredText,
  secret,
  section,
  text,
  texts,
} from "./field.ts"

// By what it is reached, and whom it reaches.

export const gateway = section("The web page and the HTTP API.", {
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
})

export const discord = section("The Discord channel. Without a token there is none.", {
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
})

export const federation = section(
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
)

export const push = section("Notifications on the devices of those who switch them on in the page.", {
  enabled: boolean(
    true,
    "Let people switch them on. Nobody is contacted before somebody has; then the push service of their browser is.",
  ),
  contact: text(
    undefined,
    "Whom a push service may write to if something is wrong, as it wants to be told: `mailto:` or `https:`. Default: nobody.",
    { example: "mailto:you@example.org" },
  ),
})
