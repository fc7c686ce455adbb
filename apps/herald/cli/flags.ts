import { Command, InvalidArgumentError, Option } from "commander"
import type { AuditTask } from "./audit.ts"
import type { BackupTask } from "./backup.ts"
import type { ConfigTask } from "./config.ts"
import type { PolicyTask } from "./policy.ts"

export interface Flags {
  readonly config?: string
  readonly check?: true
  readonly host?: string
  readonly port?: number
  readonly dataDir?: string
  /** What to do instead of running. */
  readonly task?: DataTask | AuditTask | BackupTask | ConfigTask | DoctorTask | PolicyTask
}

/** Something to do with the data of somebody, whose namespace is given as its key. */
export type DataTask =
  | { readonly type: "export"; readonly namespace: string; readonly file?: string }
  | { readonly type: "import"; readonly file: string; readonly skipExisting: boolean }
  | { readonly type: "erase"; readonly namespace: string; readonly yes: boolean }

export interface DoctorTask {
  readonly type: "doctor"
  readonly isOffline: boolean
}

export interface FlagOutput {
  readonly out: (text: string) => void
  readonly error: (text: string) => void
}

/** What the command line says: flags, or the exit code when it was answered already (`--help`, a mistake). */
export function parseFlags(
  args: readonly string[],
  version: string,
  output: FlagOutput,
): Flags | { readonly exit: number } {
  const command = new Command("herald")
    .description("A self-hosted assistant: a web page and an HTTP API, on this machine.")
    .option("-c, --config <file>", "the configuration file (default: assistant.toml, when there is one)")
    .option("--check", "check the configuration, show what is in effect, and exit; changes nothing")
    .option("--host <address>", "the address to listen on")
    .option("-p, --port <number>", "the port to listen on; 0 takes any free one", parsePort)
    .option("--data-dir <directory>", "where to keep sessions, settings and logs")
    .version(version, "-V, --version")
    .allowExcessArguments(false)
    .configureOutput({ writeOut: output.out, writeErr: output.error })
    .exitOverride()
    .action(() => {})
  let task: Flags["task"]
  command
    .command("export")
    .description("write all that is kept for a namespace (family:ada), as lines of JSON")
    .argument("<namespace>")
    .argument("[file]", "a new file (default: the output)")
    .action((namespace: string, file?: string) => {
      task = { type: "export", namespace, ...(file !== undefined && { file }) }
    })
  command
    .command("import")
    .description("read what was exported")
    .argument("<file>")
    .option("--skip-existing", "leave what is there already as it is, instead of stopping")
    .action((file: string, { skipExisting = false }: { skipExisting?: boolean }) => {
      task = { type: "import", file, skipExisting }
    })
  command
    .command("erase")
    .description("remove all that is kept for a namespace, for good")
    .argument("<namespace>")
    .option("--yes", "do not ask")
    .action((namespace: string, { yes = false }: { yes?: boolean }) => {
      task = { type: "erase", namespace, yes }
    })
  command
    .command("config")
    .description("show every value that is in effect, and where it comes from; secrets are not shown")
    .argument("[section]", "only this section, such as tools")
    .action((section?: string) => {
      task = { type: "config", ...(section !== undefined && { section }) }
    })
  command
    .command("doctor")
    .description(
      "look at all Herald needs, the model and Discord too, and say what to do about what is wrong",
    )
    .option("--offline", "contact nobody")
    .action(({ offline = false }: { offline?: boolean }) => {
      task = { type: "doctor", isOffline: offline }
    })
  command
    .command("backup")
    .description("write everything that is kept into one file; Herald may be running")
    .argument("[file]", "a new file (default: herald-<when>.tar.gz)")
    .action((file?: string) => {
      task = { type: "backup", ...(file !== undefined && { file }) }
    })
  command
    .command("restore")
    .description("put back what a backup has")
    .argument("<file>")
    .option("--replace", "in place of what is there, which is moved aside")
    .action((file: string, { replace = false }: { replace?: boolean }) => {
      task = { type: "restore", file, replace }
    })
  command
    .command("audit")
    .description(
      "show who did what, or whether all that was written of it is as it was; Herald may be running",
    )
    .argument("[namespace]", "only this namespace (family:ada) and what is below it")
    .option("--last <number>", "how many events", parseCount, 50)
    .option("--json", "as lines of JSON")
    .option("--verify", "look at every link of every chain")
    .action((namespace: string | undefined, { last, json = false, verify = false }: AuditFlags) => {
      task = { type: "audit", last, isJson: json, verify, ...(namespace !== undefined && { namespace }) }
    })
  command
    .command("policy")
    .description("what the configuration says about calls of tools")
    .command("explain")
    .description("say what would be decided about a call, and which rules speak; calls nothing")
    .argument("<tool>")
    .option("--arguments <json>", "what it would be called with", "{}")
    .option("--as <namespace>", "whose chat: web, family:ada, discord:guild:…")
    .option("--agent <name>", "which assistant calls it")
    .addOption(
      new Option("--channel <channel>", "where it is asked for").choices([
        "web",
        "discord",
        "api",
        "schedule",
      ]),
    )
    .option("--tainted", "in a chat that has read what strangers wrote")
    .action((tool: string, { tainted = false, ...options }: Omit<PolicyTask, "type" | "tool">) => {
      task = { type: "policy", tool, tainted, ...options }
    })
  try {
    command.parse([...args], { from: "user" })
  } catch (error) {
    // Commander has said it; its own code for a mistake is 1.
    return { exit: (error as { exitCode?: number }).exitCode ?? 1 }
  }
  return { ...command.opts<Flags>(), ...(task && { task }) }
}

interface AuditFlags {
  readonly last: number
  readonly json?: boolean
  readonly verify?: boolean
}

function parseCount(text: string): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && count > 0 && count <= 100_000) return count
  throw new InvalidArgumentError("It is a whole number from 1 to 100000.")
}

function parsePort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw new InvalidArgumentError("A port is a whole number from 0 to 65535.")
}
