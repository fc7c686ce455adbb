import { Command, InvalidArgumentError } from "commander"

export interface Flags {
  readonly config?: string
  readonly check?: true
  readonly host?: string
  readonly port?: number
  readonly dataDir?: string
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
  try {
    command.parse([...args], { from: "user" })
  } catch (error) {
    // Commander has said it; its own code for a mistake is 1.
    return { exit: (error as { exitCode?: number }).exitCode ?? 1 }
  }
  return command.opts<Flags>()
}

function parsePort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw new InvalidArgumentError("A port is a whole number from 0 to 65535.")
}
