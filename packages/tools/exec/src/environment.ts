/** Where programs are looked for unless somebody says otherwise. Nothing of a project, and nothing of a user. */
export const SYSTEM_PATH: readonly string[] = [
  "/usr/local/bin",
  "/usr/bin",
  "/bin",
  "/opt/homebrew/bin",
  "/run/current-system/sw/bin",
]

/**
 * Git runs what the configuration of a repository says, and a repository may be anybody's: the parts of it that name
 * programs and can be overruled are, and transports that run commands are off.
 */
const GIT_CONFIG: readonly (readonly [key: string, value: string])[] = [
  ["core.fsmonitor", "false"],
  ["core.hooksPath", "/dev/null"],
  ["core.pager", "cat"],
  ["core.editor", "false"],
  ["core.askPass", "false"],
  ["credential.helper", ""],
  ["protocol.ext.allow", "never"],
]

export interface EnvironmentOptions {
  readonly path: readonly string[]
  /** Added as they are; they may replace what stands here. */
  readonly env: Readonly<Record<string, string>>
}

/**
 * The whole environment of a command: these few names, and nothing of the host's but its language and time zone. `HOME`
 * and `TMPDIR` are added for each command: a directory of its own, empty, since the dotfiles of a workspace (`.curlrc`,
 * `.npmrc`, `.gitconfig`) are orders that a stranger may have written.
 */
export function environment(
  { path, env }: EnvironmentOptions,
  host: Readonly<Record<string, string | undefined>> = process.env,
): Readonly<Record<string, string>> {
  const { TZ } = host
  return {
    PATH: path.join(":"),
    LANG: "C.UTF-8",
    ...(TZ !== undefined && /^[\w+:/.,-]{1,64}$/.test(TZ) && { TZ }),
    TERM: "dumb",
    NO_COLOR: "1",
    PAGER: "cat",
    GIT_PAGER: "cat",
    GIT_TERMINAL_PROMPT: "0",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ALLOW_PROTOCOL: "file:git:http:https:ssh",
    GIT_CONFIG_COUNT: String(GIT_CONFIG.length),
    ...Object.fromEntries(
      GIT_CONFIG.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
    ...env,
  }
}

/** The name of the variable by which a command's processes are found again, wherever they went. */
export const MARK = "ORRA_EXEC"
