import { type ChildProcess, type ExecFileOptions, execFile, spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"
import {
  accessSync,
  chownSync,
  constants,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs"
import { Socket } from "node:net"
import { tmpdir, userInfo } from "node:os"
import { delimiter, join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { promisify } from "node:util"
import { freePort } from "./free-port.ts"

/** A PostgreSQL server of one's own, with an empty database. */
export interface PostgresServer {
  /**
   * Where it is: `postgres://orra@127.0.0.1:<port>/postgres`. Everybody on this machine may connect. "orra" owns the
   * database and is no superuser, as in production: row-level security holds for it. The superuser is "postgres".
   */
  readonly url: string
  /** The folder of its data, which is the server's while it runs. */
  readonly data: string
  /** Ends all connections and starts the server again, on the same port with the same data. */
  restart(): Promise<void>
  /** Ends it at once, as a power failure would: connections break, what was committed is kept. */
  crash(): Promise<void>
  /** After `crash`: recovers and accepts connections again. */
  start(): Promise<void>
  /** Ends it and removes its data. */
  stop(): Promise<void>
}

export interface PostgresServerOptions {
  /**
   * Whether what is committed outlives a power failure. Default true, as in production; without it a commit does not wait
   * for the disk, which is for tests that pull no plug.
   */
  readonly durable?: boolean
}

const OLDEST = 14
const START_MS = 60_000
const INITDB = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
const run = promisify(execFile)

/**
 * Starts a real PostgreSQL, 14 or newer, from the machine's own programs (or those in the folder `ORRA_POSTGRES_BIN`), on
 * a free port of the loopback, with its data in a temporary folder, durable as in production. It ends with this
 * process, however that ends. Where this process is root the server runs as another user: PostgreSQL insists. An empty
 * database is made once for each version, and kept in a file in the system's temporary folder.
 *
 * ```ts
 * const server = await postgresServer()
 * afterAll(() => server.stop())
 * ```
 *
 * @throws Error that says what to install when there is none.
 */
export async function postgresServer({
  durable = true,
}: PostgresServerOptions = {}): Promise<PostgresServer> {
  const bin = programs()
  const user = unprivileged()
  const folder = mkdtempSync(join(tmpdir(), "orra-postgres-"))
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, "data")
  const port = await freePort()
  const options = { cwd: folder, env: { ...process.env, LC_ALL: "C" }, ...user }
  let running: ChildProcess | undefined

  const start = async (): Promise<void> => {
    const settings = [`port=${port}`, "listen_addresses=127.0.0.1", `unix_socket_directories=${folder}`]
    if (!durable) settings.push("fsync=off", "full_page_writes=off")
    const args = ["-D", data, ...settings.flatMap((setting) => ["-c", setting])]
    const child = spawn("/bin/sh", ["-c", WATCHED, join(bin, "postgres"), ...args], {
      ...options,
      stdio: ["ignore", "ignore", "pipe", "pipe"],
    })
    running = child
    let said = ""
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text
    })
    const until = performance.now() + START_MS
    while (!said.includes("ready to accept connections")) {
      if (child.exitCode !== null || performance.now() > until)
        throw new Error(`PostgreSQL did not start: ${said}`)
      await setTimeout(20)
    }
  }
  const end = async (how: (child: ChildProcess) => void): Promise<void> => {
    const child = running
    running = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, "exit")
    how(child)
    await exit
    letGo(child)
  }
  const crash = (): Promise<void> =>
    end(() =>
      process.kill(Number(readFileSync(join(data, "postmaster.pid"), "utf8").split("\n")[0]), "SIGQUIT"),
    )

  try {
    await emptyDatabase(bin, folder, options)
    await start()
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
  return {
    url: `postgres://orra@127.0.0.1:${port}/postgres`,
    data,
    start,
    crash,
    async restart() {
      await end(letGo)
      await start()
    },
    async stop() {
      // Nobody needs its data any more, so it need not write them.
      await crash()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Makes `data` in the folder: what initdb makes takes it seconds, so it is kept for whoever is next. */
async function emptyDatabase(bin: string, folder: string, options: ExecFileOptions): Promise<void> {
  const { stdout: version } = await run(join(bin, "postgres"), ["--version"], options)
  const what = createHash("sha256")
    .update([bin, version, ...INITDB, OWNER].join("\n"))
    .digest("hex")
  const kept = join(tmpdir(), `orra-postgres-${what.slice(0, 16)}-${options.uid ?? userInfo().uid}.tar`)
  if (isOurs(kept, options.uid ?? userInfo().uid)) {
    await run("tar", ["-xf", kept, "-C", folder], options)
    return
  }
  const data = join(folder, "data")
  await run(join(bin, "initdb"), ["-D", data, ...INITDB], options)
  const single = run(join(bin, "postgres"), ["--single", "-D", data, "postgres"], options)
  single.child.stdin?.end(OWNER)
  await single
  // One file, complete from its first moment: others may be looking for it.
  await run("tar", ["-cf", join(folder, "data.tar"), "-C", folder, "data"], options)
  renameSync(join(folder, "data.tar"), kept)
}

/** A file that somebody else has put there is not trusted. */
function isOurs(path: string, uid: number): boolean {
  const file = lstatSync(path, { throwIfNoEntry: false })
  return file?.isFile() === true && file.uid === uid
}

/** A line is a command. */
const OWNER = "CREATE ROLE orra LOGIN\nALTER DATABASE postgres OWNER TO orra\n"

/** The server ends when nobody holds the other end of descriptor 3 any more: when told so, or when we are gone. */
const WATCHED = '"$0" "$@" & server=$!; (read -r _; kill -INT $server 2>/dev/null) <&3 & wait $server'

function letGo(child: ChildProcess): void {
  const pipe = child.stdio[3]
  if (pipe instanceof Socket) pipe.destroy()
}

/** The folder of PostgreSQL's programs. */
function programs(): string {
  const chosen = process.env["ORRA_POSTGRES_BIN"]
  const debian = "/usr/lib/postgresql"
  const versions = existsSync(debian) ? readdirSync(debian).map(Number) : []
  const packaged = versions
    .filter((version) => version >= OLDEST)
    .sort((a, b) => b - a)
    .map((version) => join(debian, `${version}`, "bin"))
  const folders =
    chosen === undefined ? [...packaged, ...(process.env["PATH"] ?? "").split(delimiter)] : [chosen]
  const found = folders.find((folder) =>
    ["initdb", "postgres"].every((name) => isExecutable(join(folder, name))),
  )
  if (found !== undefined) return found
  throw new Error(
    `The tests need PostgreSQL ${OLDEST} or newer: install it (Debian: "apt-get install postgresql"), or name the folder of its programs in ORRA_POSTGRES_BIN.`,
  )
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const NOBODY = 65_534

const unprivileged = (): { readonly uid?: number; readonly gid?: number } =>
  userInfo().uid === 0 ? { uid: NOBODY, gid: NOBODY } : {}
