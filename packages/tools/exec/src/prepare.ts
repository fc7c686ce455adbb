import { createHash } from "node:crypto"
import { accessSync, constants, realpathSync, statSync } from "node:fs"
import { realpath, stat } from "node:fs/promises"
import { basename, dirname, isAbsolute, join, resolve } from "node:path"
import { ExecError } from "./errors.ts"
import { isWithin, leadsOutside, workingDirectory } from "./place.ts"
import { kindOf, type ProgramKind } from "./programs.ts"
import { type CommandLine, splitCommand } from "./split.ts"

/** A command with everything that is decided and run: nothing of it is looked up again by anybody else. */
export interface Command {
  /** The program and its arguments. The program is an absolute path, with links as they are: some go by their name. */
  readonly argv: readonly [program: string, ...args: string[]]
  /** Where the links lead. */
  readonly program: string
  /** The names it goes by: as called, and as the real file is called. */
  readonly names: readonly string[]
  readonly kind: ProgramKind | undefined
  /** Handed to a shell, since only that can do what it says. */
  readonly shell: boolean
  /** Where it runs: a real path. */
  readonly directory: string
  /** The directory that it is confined to: a real path. */
  readonly root: string
  /** The program lies in that directory, where others can change it. */
  readonly local: boolean
  /** It is one of the programs in `path`. */
  readonly installed: boolean
  /** The first argument that leads out of that directory. */
  readonly outside: string | undefined
  /** Stands for all of this and for the files themselves: another program, script or directory gives another one. */
  readonly seal: string
}

export interface PrepareOptions {
  /** Where programs are looked for, in this order: absolute paths of directories. */
  readonly path: readonly string[]
  /** The shell for commands that need one; without it they are refused. */
  readonly shell: string | undefined
  /** What else a decision depends on, such as the environment. */
  readonly salt: string
}

/** Arguments that are looked at for where they lead. */
const MAX_ARGS = 1_000

/** Files that are looked at for the seal: those that an interpreter is told to run are among the first arguments. */
const MAX_FILES = 64

/**
 * Reads a command, finds its program and its directory, and seals what was found.
 *
 * @throws ExecError when it cannot be run: `command_invalid`, `shell_refused`, `program_not_found`, `directory_refused`.
 */
export async function prepare(
  command: string,
  place: { readonly root: string; readonly wanted: string | undefined },
  options: PrepareOptions,
): Promise<Command> {
  const line = splitCommand(command)
  const words = wordsOf(command, line, options.shell)
  const directory = await workingDirectory(place.root, place.wanted)
  const root = await workingDirectory(place.root, undefined)
  const [word, ...args] = words
  const path = find(word, directory, options.path)
  const program = await realpath(path)
  const names = [...new Set([basename(path), basename(program)])]
  const kind = kindOf(basename(path), basename(program))
  const files = kind === undefined ? [] : args.slice(0, MAX_FILES).flatMap((arg) => filesOf(arg, directory))
  const prints = await Promise.all([program, directory, ...files].map(print))
  const argv = [path, ...args] as const
  const outside = await firstOutside(args, directory, root)
  return {
    argv,
    program,
    names,
    kind,
    shell: line.type === "shell",
    directory,
    root,
    local: isWithin(program, root),
    installed: options.path.includes(dirname(path)),
    outside,
    seal: createHash("sha256")
      .update(JSON.stringify([options.salt, argv, program, directory, root, outside, prints]))
      .digest("hex"),
  }
}

function wordsOf(
  command: string,
  line: CommandLine,
  shell: string | undefined,
): readonly [string, ...string[]] {
  if (line.type === "invalid") throw new ExecError("command_invalid", line.message)
  if (line.type === "argv") return line.words as readonly [string, ...string[]]
  if (shell !== undefined) return [shell, "-c", "--", command]
  throw new ExecError(
    "shell_refused",
    `There is no shell here, and ${line.what} needs one. Quote it if it is text; otherwise run one program per call, ` +
      "with its arguments written out: no pipes, redirections, variables, substitutions, globs or lists.",
  )
}

/** The program's absolute path. A name without a slash is looked for in `path` only, never where the command runs. */
function find(word: string, directory: string, path: readonly string[]): string {
  const places = word.includes("/")
    ? [isAbsolute(word) ? resolve(word) : resolve(directory, word)]
    : path.map((folder) => join(folder, word))
  if (!word.endsWith("/")) for (const place of places) if (isExecutable(place)) return place
  throw new ExecError("program_not_found", `There is no program "${word}" here: check its name.`)
}

/** The real path of the program that a rule names, or undefined where there is none. */
export function realProgram(program: string, path: readonly string[]): string | undefined {
  const places = program.startsWith("/") ? [program] : path.map((folder) => join(folder, program))
  const place = places.find(isExecutable)
  return place && realpathSync(place)
}

/** What an argument may name: itself, or what follows the first `=`. */
const filesOf = (arg: string, directory: string): readonly string[] =>
  [arg, ...(arg.includes("=") ? [arg.slice(arg.indexOf("=") + 1)] : [])].map((name) =>
    resolve(directory, name),
  )

/** What tells a file from another one, and from itself after a change: the time of its last change cannot be set. */
async function print(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs, mode } = await stat(path, { bigint: true })
    // A directory changes with what is in it; the same one is enough.
    const isDirectory = (mode & BigInt(constants.S_IFMT)) === BigInt(constants.S_IFDIR)
    return isDirectory ? `${dev}:${ino}` : [dev, ino, size, mtimeNs, ctimeNs].join(":")
  } catch {
    return "none"
  }
}

async function firstOutside(
  args: readonly string[],
  directory: string,
  root: string,
): Promise<string | undefined> {
  for (const arg of args.slice(0, MAX_ARGS)) if (await leadsOutside(arg, directory, root)) return arg
  // So many are not looked at one by one.
  return args[MAX_ARGS]
}

/** A file that can be executed, not a directory that can be entered. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
