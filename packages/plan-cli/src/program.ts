import { Command, Option } from "commander"
import { Cli, type GlobalOptions, type Surroundings } from "./cli.ts"
import { compensationCommands } from "./commands/compensations.ts"
import { completionCommands } from "./commands/completion.ts"
import { groundingCommands } from "./commands/groundings.ts"
import { inspectCommands, pddlCommand } from "./commands/inspect.ts"
import { keyCommands } from "./commands/keys.ts"
import { logCommands } from "./commands/logs.ts"
import { projectCommands } from "./commands/projects.ts"
import { runCommands } from "./commands/runs.ts"
import { serverCommands } from "./commands/server.ts"
import { serviceCommands } from "./commands/services.ts"
import { verifyCommands } from "./commands/verify.ts"
import { webhookCommands } from "./commands/webhooks.ts"

/** What a command does: with what it works with, then its arguments, then its options. */
// biome-ignore lint/suspicious/noExplicitAny: commander gives what the command declares, of which it has no types.
export type Work = (cli: Cli, ...given: any[]) => Promise<void> | void

/** Hangs a command's work on it. */
export type Act = (work: Work) => (...given: unknown[]) => Promise<void>

/** The whole command line. */
export function orraProgram(around: Surroundings): Command {
  const program = new Command("orra")
    .description("Plans across services and agents, from the command line.")
    .version(around.version, "-V, --version", "the version of this command line")
    .option("--config <file>", "the configuration file (default: ~/.orra/config.json)")
    .option("-p, --project <name>", "the project, when it is not the current one")
    .addOption(new Option("--json", "write JSON"))
    .configureOutput({
      writeOut: around.out,
      writeErr: around.error,
      outputError: (text, write) => write(text.replace(/^error: /, "⨯ Error: ")),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError()
    .exitOverride()
  const act: Act =
    (work) =>
    async (...given) => {
      const command = given.at(-1) as Command
      await work(new Cli(around, command.optsWithGlobals<GlobalOptions>()), ...given.slice(0, -1))
    }
  projectCommands(program, act)
  keyCommands(program, act)
  webhookCommands(program, act)
  serviceCommands(program, act)
  verifyCommands(program, act)
  runCommands(program, act)
  inspectCommands(program, act)
  logCommands(program, act)
  pddlCommand(program, act)
  groundingCommands(program, act)
  compensationCommands(program, act)
  serverCommands(program, act)
  completionCommands(program, act)
  return program
}
