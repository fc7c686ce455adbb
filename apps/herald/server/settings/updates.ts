import { createHash } from "node:crypto"
import { once } from "node:events"
import { errorMessage, isObject, OrraError } from "@orra/core"
import type { Route } from "@orra/gateway"
import { Parser } from "tar"
import type { LiveConfig } from "./live.ts"
import { ownerRoute } from "./routes.ts"

const PACKAGE = "@orra/herald"
const MAX_BYTES = 50_000_000
const MAX_NOTES = 20_000
const TIMEOUT_MS = 30_000

/** What the registry has. */
interface Found {
  readonly version: string
  readonly isNewer: boolean
  /** What is new since this version, as plain text; empty when the package says nothing. */
  readonly notes: string
}

/**
 * The route that asks for a newer version. Nobody is contacted unless somebody asks, and nothing is ever replaced: the
 * answer says by which command a person does that.
 */
export const updateRoutes = ({
  live,
  version,
}: {
  readonly live: LiveConfig
  readonly version: string
}): readonly Route[] => [
  ownerRoute("POST", "/api/settings/updates/check", async ({ signal }) => {
    const found = await newest(live.loaded.config.updates.registry, version, signal)
    return { current: version, ...found, command: commandFor(found.version) }
  }),
]

/** Where it was installed by a package manager, that does it; a checkout is its owner's. */
const commandFor = (version: string): string =>
  import.meta.url.includes("/node_modules/")
    ? `npm install --global ${PACKAGE}@${version}`
    : "git pull && npm start"

/**
 * The newest version of the registry.
 *
 * @throws OrraError `update_unavailable` when it does not answer, `update_unverified` when what it gives is not what it
 *   says it is.
 */
async function newest(registry: string, current: string, signal: AbortSignal): Promise<Found> {
  const any = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
  const base = `${registry.replace(/\/+$/, "")}/`
  const said = (await fetched(new URL(`${PACKAGE.replace("/", "%2f")}/latest`, base), any)).toString("utf8")
  const manifest = parsed(said)
  const version = isObject(manifest) ? manifest["version"] : undefined
  if (typeof version !== "string" || !VERSION.test(version))
    throw unavailable(registry, "what it says of Herald is not understood")
  const isNewer = compareVersions(version, current) > 0
  const dist = isObject(manifest) ? manifest["dist"] : undefined
  const notes = isNewer && isObject(dist) ? await notesOf(dist, base, current, any) : ""
  return { version, isNewer, notes }
}

async function notesOf(
  { tarball, integrity }: Readonly<Record<string, unknown>>,
  base: string,
  current: string,
  signal: AbortSignal,
): Promise<string> {
  const url = typeof tarball === "string" ? URL.parse(tarball) : null
  // The registry may not send us elsewhere: only it was agreed to be asked.
  if (url?.origin !== new URL(base).origin) return ""
  const archive = await fetched(url, signal)
  const digest = `sha512-${createHash("sha512").update(archive).digest("base64")}`
  if (digest !== integrity) {
    throw new OrraError(
      "update_unverified",
      "The registry's package is not the one it announces: do not install it, and look again later.",
    )
  }
  return since(await fileOf(archive, "package/CHANGELOG.md"), current).slice(0, MAX_NOTES)
}

/** @throws OrraError (`update_unavailable`). */
async function fetched(url: URL, signal: AbortSignal): Promise<Buffer> {
  try {
    const response = await fetch(url, { signal, redirect: "error" })
    if (!response.ok) throw new Error(`it answers ${response.status}`)
    const chunks: Uint8Array[] = []
    let bytes = 0
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength
      if (bytes > MAX_BYTES) throw new Error("its answer is too long")
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  } catch (error) {
    throw unavailable(url.origin, errorMessage(error), error)
  }
}

const unavailable = (registry: string, why: string, cause?: unknown): OrraError =>
  new OrraError(
    "update_unavailable",
    `${registry} cannot say what is newest: ${why}. Try again later.`,
    {},
    cause,
  )

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The text of a file in an archive; empty when it has none. */
async function fileOf(archive: Buffer, path: string): Promise<string> {
  const chunks: Buffer[] = []
  const parser = new Parser({
    filter: (name) => name === path,
    onReadEntry: (entry) => void entry.on("data", (chunk) => chunks.push(chunk)),
  })
  const ended = once(parser, "end")
  parser.end(archive)
  await ended
  return Buffer.concat(chunks).toString("utf8")
}

/** The part of a change log that comes before a version. */
function since(log: string, version: string): string {
  const lines = log.split("\n")
  const first = lines.findIndex((line) => line.startsWith("## "))
  const old = lines.findIndex(
    (line) => line.startsWith("## ") && compareVersions(line.slice(3).trim(), version) <= 0,
  )
  return (first < 0 ? lines : lines.slice(first, old < 0 ? undefined : old)).join("\n").trim()
}

const VERSION = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?$/

/** Below 0 when the first is older. A version before a release (`1.2.0-beta.1`) is older than it. Source: semver.org. */
export function compareVersions(a: string, b: string): number {
  const [one, other] = [VERSION.exec(a), VERSION.exec(b)]
  if (!one || !other) return one ? 1 : other ? -1 : 0
  for (const part of [1, 2, 3]) {
    const difference = Number(one[part]) - Number(other[part])
    if (difference !== 0) return difference
  }
  if (one[4] === other[4]) return 0
  if (one[4] === undefined) return 1
  if (other[4] === undefined) return -1
  return one[4].localeCompare(other[4], "en", { numeric: true })
}
