import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { isExecutable } from "./prepare.ts"
import { REPORT_FD } from "./start.ts"

export interface IsolationOptions {
  /**
   * `auto`: with bubblewrap where the system has it. `required`: nothing runs without it. `off`: never. Default `auto`.
   */
  readonly isolation?: "auto" | "required" | "off"
  /** Whether an isolated command has the network. Default false. Without isolation every command has it. */
  readonly network?: boolean
  /** Further files and directories that an isolated command can read, by absolute path. The system's are there. */
  readonly readable?: readonly string[]
}

/** The programs of the system that confine a command, as far as there are any. */
export interface Confinement {
  /** bubblewrap, tried and found to work. */
  readonly bubblewrap: string | undefined
  /** Why there is no isolation. */
  readonly missing: string | undefined
  readonly prlimit: string | undefined
  readonly setpriv: string | undefined
}

/** What an isolated command sees of the system: programs, libraries and what they need, and nobody's data. */
const SYSTEM = list(`
  /usr /bin /sbin /lib /lib32 /lib64 /libx32 /nix/store /run/current-system
  /etc/alternatives /etc/ld.so.cache /etc/ld.so.conf /etc/ld.so.conf.d /etc/localtime /etc/nsswitch.conf /etc/passwd
  /etc/group /etc/hosts /etc/resolv.conf /etc/ssl /etc/ca-certificates /etc/pki /etc/mime.types /etc/protocols
  /etc/services /etc/magic /etc/fonts
`)

function list(text: string): readonly string[] {
  return text.trim().split(/\s+/)
}

/** Where an isolated command has its home: in its own `/tmp`. */
export const ISOLATED_HOME = "/tmp/home"

/** Looks what the system has, by trying it: bubblewrap may be installed and not allowed to do anything. */
export function findConfinement(mode: IsolationOptions["isolation"], path: readonly string[]): Confinement {
  const find = (name: string): string | undefined =>
    [...path, "/usr/sbin", "/sbin"].map((folder) => join(folder, name)).find(isExecutable)
  const works = (program: string, args: readonly string[]): boolean =>
    spawnSync(program, args, { stdio: ["ignore", "ignore", "ignore", "pipe"], env: {}, timeout: 10_000 })
      .status === 0
  const last = find("true") ?? "true"
  const prlimit = find("prlimit")
  const setpriv = find("setpriv")
  const tools = {
    prlimit: prlimit && works(prlimit, ["--core=0", "--", last]) ? prlimit : undefined,
    setpriv: setpriv && works(setpriv, [...UNPRIVILEGED, last]) ? setpriv : undefined,
  }
  if (mode === "off") return { ...tools, bubblewrap: undefined, missing: "isolation is off" }
  const bubblewrap = find("bwrap")
  if (!bubblewrap)
    return { ...tools, bubblewrap: undefined, missing: "bubblewrap (bwrap) is not on this system" }
  if (!works(bubblewrap, [...walls({}), "--chdir", "/", "--", last]))
    return { ...tools, bubblewrap: undefined, missing: "bubblewrap is not allowed to isolate on this system" }
  return { ...tools, bubblewrap, missing: undefined }
}

/** It never gets more rights than it has, and it ends when this process does. */
const UNPRIVILEGED = ["--no-new-privs", "--pdeathsig", "KILL"]

/** The command line that runs a command confined as far as the system can. */
export function confined(
  {
    argv,
    root,
    directory,
  }: { readonly argv: readonly string[]; readonly root: string; readonly directory: string },
  { bubblewrap, prlimit, setpriv }: Confinement,
  { network = false, readable = [] }: IsolationOptions,
  {
    path,
    maxFileBytes,
    maxProcesses,
  }: { readonly path: readonly string[]; readonly maxFileBytes: number; readonly maxProcesses: number },
): readonly string[] {
  const limits = prlimit ? [prlimit, "--core=0", `--fsize=${maxFileBytes}`, "--"] : []
  if (!bubblewrap) return [...(setpriv ? [setpriv, ...UNPRIVILEGED] : []), ...limits, ...argv]
  // Within its own user namespace a limit of processes counts its own only.
  const inner = prlimit ? [prlimit, `--nproc=${maxProcesses}`, "--"] : []
  const programs = path.flatMap((folder) => ["--ro-bind-try", folder, folder])
  const open = [...programs, "--bind", root, root, "--remount-ro", "/", "--chdir", directory]
  return [...limits, bubblewrap, ...walls({ network, readable }), ...open, "--", ...inner, ...argv]
}

function walls({ network = false, readable = [] }: IsolationOptions): readonly string[] {
  return [
    "--unshare-all",
    ...(network ? ["--share-net"] : []),
    ...["--info-fd", String(REPORT_FD), "--die-with-parent", "--new-session", "--cap-drop", "ALL"],
    ...SYSTEM.flatMap((path) => ["--ro-bind-try", path, path]),
    ...["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--dir", ISOLATED_HOME],
    ...readable.flatMap((path) => ["--ro-bind", path, path]),
  ]
}
