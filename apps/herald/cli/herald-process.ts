import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

/** Herald as a child process, for tests: the real program, from its sources. */
export interface HeraldProcess {
  readonly child: ChildProcess
  readonly url: string
  readonly loginUrl: string
  stdout(): string
  stderr(): string
  /** Resolves when it has said this to its standard output, or has ended. */
  said(text: string): Promise<void>
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>
  stop(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals | null>
}

export interface HeraldProcessOptions {
  readonly args?: readonly string[]
  /** Where it is started, and its HOME: a directory of the test's own. */
  readonly cwd: string
  /** Added to an environment without any key. */
  readonly env?: Readonly<Record<string, string>>
  /** The program, where it is not the one of the sources. */
  readonly main?: string
  /** What no file may grow beyond, in blocks of 512 bytes: a disk that is full. Not on Windows. */
  readonly fileBlocks?: number
}

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url))

/** Starts it and waits until it listens. @throws Error with what it said when it ends instead. */
export async function heraldProcess(options: HeraldProcessOptions): Promise<HeraldProcess> {
  const started = spawnHerald(options)
  const until = async (isThere: (stdout: string) => boolean): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const look = (): void => {
      if (isThere(started.stdout())) resolve()
    }
    started.child.stdout.on("data", look)
    look()
    await Promise.race([promise, started.ended])
  }
  await until((stdout) => LOGIN.test(stdout))
  if (!LOGIN.test(started.stdout()))
    throw new Error(`Herald ended with ${await started.ended}: ${started.stdout()}${started.stderr()}`)
  return {
    ...started,
    said: (text) => until((stdout) => stdout.includes(text)),
    url: ADDRESS.exec(started.stdout())?.[1] ?? "",
    loginUrl: LOGIN.exec(started.stdout())?.[1] ?? "",
    stop(signal = "SIGTERM") {
      started.child.kill(signal)
      return started.ended
    },
  }
}

/** Runs it to its end. */
export async function heraldRun(options: HeraldProcessOptions): Promise<{
  readonly code: number | NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}> {
  const { ended, stdout, stderr } = spawnHerald(options)
  const code = await ended
  return { code, stdout: stdout(), stderr: stderr() }
}

const ADDRESS = /^ {2}address +(\S+)$/m
const LOGIN = /^ {2}(\S+\/login\S+)$/m

function spawnHerald({ args = [], cwd, env, main, fileBlocks }: HeraldProcessOptions) {
  const { PATH, NODE_COMPILE_CACHE } = process.env
  const program = main === undefined ? ["--conditions=@orra/source", MAIN] : [main]
  const command = [process.execPath, ...program, ...args]
  const limited = ["/bin/sh", "-c", `ulimit -f ${fileBlocks} && exec "$@"`, "sh", ...command]
  const [file = "", ...rest] = fileBlocks === undefined ? command : limited
  const child = spawn(file, rest, {
    cwd,
    env: { PATH, NODE_COMPILE_CACHE, HOME: cwd, HERALD_KEYCHAIN: "off", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  })
  let out = ""
  let error = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    error += text
  })
  const { promise: ended, resolve } = Promise.withResolvers<number | NodeJS.Signals | null>()
  child.on("close", (code, signal) => resolve(code ?? signal))
  return { child, ended, stdout: () => out, stderr: () => error }
}
