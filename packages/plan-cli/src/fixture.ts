import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { type AddressInfo, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Command } from "commander"
import type { Surroundings } from "./cli.ts"
import type { Config, ProjectConfig } from "./config.ts"
import { run } from "./run.ts"

/** What came of a command. */
export interface Ran {
  readonly code: number | NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url))

/** A home of its own, in which commands run. */
export class Home {
  readonly folder = mkdtempSync(join(tmpdir(), "orra-cli-"))
  readonly configPath = join(this.folder, ".orra", "config.json")
  readonly #env: NodeJS.ProcessEnv
  readonly #children: ChildProcess[] = []

  constructor(env: NodeJS.ProcessEnv = {}) {
    const { PATH, NODE_COMPILE_CACHE } = process.env
    this.#env = { PATH, NODE_COMPILE_CACHE, HOME: this.folder, ...env }
  }

  get config(): Config {
    return JSON.parse(readFileSync(this.configPath, "utf8")) as Config
  }

  project(name: string): ProjectConfig {
    const project = this.config.projects[name]
    if (!project) throw new Error(`There is no project ${name}.`)
    return project
  }

  /** The command as a process of its own. */
  start(...args: readonly string[]) {
    const child = spawn(process.execPath, ["--conditions=@orra/source", MAIN, ...args], {
      cwd: this.folder,
      env: this.#env,
    })
    this.#children.push(child)
    let stdout = ""
    let stderr = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text
    })
    const { promise: ended, resolve } = Promise.withResolvers<Ran>()
    child.on("close", (code, signal) => resolve({ code: code ?? signal, stdout, stderr }))
    /** Resolves when it has written this, or has ended. */
    const wrote = async (text: string): Promise<void> => {
      const { promise, resolve: found } = Promise.withResolvers<void>()
      const look = (): void => {
        if ((stdout + stderr).includes(text)) found()
      }
      child.stdout.on("data", look)
      child.stderr.on("data", look)
      look()
      await Promise.race([promise, ended])
    }
    return { child, ended, wrote }
  }

  /** The command as a process, to its end, with what it reads. */
  async orra(args: readonly string[], stdin = ""): Promise<Ran> {
    const { child, ended } = this.start(...args)
    child.stdin.end(stdin)
    return await ended
  }

  /** The same program in this process: what starts in a moment can be asked for everything. */
  async quick(
    args: readonly string[],
    {
      stdin = "",
      isTty = false,
      signal = new AbortController().signal,
      env = {},
      now = Date.now,
      onOut = () => {},
    }: Quick = {},
  ): Promise<Ran> {
    let stdout = ""
    let stderr = ""
    const code = await run(args, {
      env: { ...this.#env, ...env },
      version: "0.0.0",
      out: (text) => {
        stdout += text
        onOut(text)
      },
      error: (text) => {
        stderr += text
      },
      isTty,
      stdin: async () => stdin,
      signal,
      now,
    })
    return { code, stdout, stderr }
  }

  /** What a test that failed has left running ends as well. */
  remove(): void {
    for (const child of this.#children) child.kill("SIGKILL")
    rmSync(this.folder, { recursive: true, force: true })
  }
}

interface Quick {
  readonly stdin?: string
  readonly isTty?: boolean
  readonly signal?: AbortSignal
  readonly env?: NodeJS.ProcessEnv
  readonly now?: () => number
  readonly onOut?: (text: string) => void
}

/** A port that nothing listens at. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, "close")
  return port
}

/** Every command with its options, as a table of Markdown. */
export function commandTable(program: (around: Surroundings) => Command): string {
  const nothing = { env: {}, version: "", out: () => {}, error: () => {}, isTty: false, now: Date.now }
  const { signal } = new AbortController()
  const row = (command: Command, path: string): readonly string[] => {
    const name = `${path}${command.name()}`
    const commands = command.createHelp().visibleCommands(command)
    const inner = commands.filter((each) => each.name() !== "help").flatMap((each) => row(each, `${name} `))
    if (inner.length > 0) return inner
    const args = command.registeredArguments.map((each) =>
      each.required ? ` <${each.name()}>` : ` [${each.name()}]`,
    )
    const options = command.options.map(({ flags }) => `\`${flags}\``).join(", ")
    return [`| \`${name}${args.join("")}\` | ${command.description()} | ${options} |`]
  }
  const rows = row(program({ ...nothing, signal, stdin: async () => "" }), "")
  return ["| command | | options |", "|---|---|---|", ...rows].join("\n")
}
