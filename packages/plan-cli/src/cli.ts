import { type Api, engineApi } from "./api.ts"
import { type Config, defaultConfigPath, type ProjectConfig, readConfig, writeConfig } from "./config.ts"
import { CliError } from "./errors.ts"
import { type Paint, painter, shown } from "./text.ts"

/** Where a command runs: the process, or a test. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv
  readonly version: string
  readonly out: (text: string) => void
  readonly error: (text: string) => void
  /** Whether a person looks at what is written. */
  readonly isTty: boolean
  readonly stdin: () => Promise<string>
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
  /** ms since 1970. */
  readonly now: () => number
}

/** The options that every command has. */
export interface GlobalOptions {
  readonly config?: string
  readonly project?: string
  readonly json?: true
}

/** What a command works with. */
export class Cli {
  readonly around: Surroundings
  readonly paint: Paint
  readonly isJson: boolean
  readonly configPath: string
  readonly #project: string | undefined

  constructor(around: Surroundings, { config, project, json }: GlobalOptions) {
    const { env, isTty } = around
    this.around = around
    this.paint = painter(isTty && !env["NO_COLOR"] && env["TERM"] !== "dumb")
    this.isJson = json === true
    this.configPath = config ?? defaultConfigPath(env)
    this.#project = project
  }

  /** Writes what came of a command: the value as it is with `--json`, else what is made of it for people. */
  show<T>(value: T, text: (value: T) => string): void {
    this.around.out(this.isJson ? `${JSON.stringify(value, undefined, 2)}\n` : `${text(shown(value))}\n`)
  }

  /** One of many: with `--json` each is a line. */
  line<T>(value: T, text: (value: T) => string): void {
    this.around.out(`${this.isJson ? JSON.stringify(value) : text(shown(value))}\n`)
  }

  config(): Config {
    return readConfig(this.configPath)
  }

  /** @throws CliError when there is none, or none of that name. */
  project(): { readonly name: string; readonly project: ProjectConfig } {
    const { current_project, projects } = this.config()
    const name = this.#project ?? current_project
    const project = Object.hasOwn(projects, name) ? projects[name] : undefined
    if (project) return { name, project }
    if (name === "")
      throw new CliError("project_none", "There is no project yet.", "Add one with: orra projects add <name>")
    throw unknownProject(name, projects)
  }

  changeProject(name: string, change: (project: ProjectConfig) => Partial<ProjectConfig>): void {
    const config = this.config()
    const project = config.projects[name]
    if (!project) throw unknownProject(name, config.projects)
    const projects = { ...config.projects, [name]: { ...project, ...change(project) } }
    writeConfig(this.configPath, { ...config, projects })
  }

  /** The API with the key of the project. */
  api(): Api {
    const { server_addr: server, cli_auth: key } = this.project().project
    return engineApi({ server, key, signal: this.around.signal })
  }
}

export const unknownProject = (name: string, projects: Config["projects"]): CliError =>
  new CliError(
    "project_unknown",
    `There is no project "${name}".`,
    Object.keys(projects).length === 0
      ? "Add one with: orra projects add <name>"
      : `There are: ${Object.keys(projects).join(", ")}`,
  )
