import { readdir, readFile } from "node:fs/promises"
import { extname, join, relative } from "node:path"
import { promisify } from "node:util"
import { brotliCompress, constants, gzip } from "node:zlib"

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
}

const COMPRESSED = new Set([".html", ".js", ".css", ".svg", ".json", ".webmanifest", ".txt"])

interface Asset {
  readonly type: string
  readonly file: string
  /** True for names that carry a hash of the content: they never change. */
  readonly immutable: boolean
  readonly bodies: Map<Encoding, Promise<Buffer>>
}

type Encoding = "identity" | "gzip" | "br"

/**
 * The files of a built page. Only files that were there at start are served, by their exact names, so no path can
 * lead anywhere else; links in the folder are not followed.
 */
export class Assets {
  readonly #files: ReadonlyMap<string, Asset>

  private constructor(files: ReadonlyMap<string, Asset>) {
    this.#files = files
  }

  static async load(folder: string): Promise<Assets> {
    const files = new Map<string, Asset>()
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const file = join(entry.parentPath, entry.name)
      const path = `/${relative(folder, file).replaceAll("\\", "/")}`
      const type = TYPES[extname(entry.name)] ?? "application/octet-stream"
      files.set(path, { type, file, immutable: path.startsWith("/assets/"), bodies: new Map() })
    }
    return new Assets(files)
  }

  /** The file, or the page itself for any path that names none, so that links into the page work. */
  async serve(path: string, headers: Headers): Promise<Response | undefined> {
    const wantsPage = headers.get("accept")?.includes("text/html") ?? false
    const asset = this.#files.get(path) ?? (wantsPage ? this.#files.get("/index.html") : undefined)
    if (!asset) return undefined
    const encoding = chooseEncoding(asset, headers.get("accept-encoding"))
    const body = await bodyOf(asset, encoding)
    return new Response(new Uint8Array(body), {
      headers: {
        "content-type": asset.type,
        "cache-control": asset.immutable ? "public, max-age=31536000, immutable" : "no-cache",
        vary: "accept-encoding",
        ...(encoding !== "identity" && { "content-encoding": encoding }),
      },
    })
  }
}

function chooseEncoding(asset: Asset, accepted: string | null): Encoding {
  if (!COMPRESSED.has(extname(asset.file))) return "identity"
  const names = (accepted ?? "").split(",").flatMap((part) => {
    const [name = "", ...parameters] = part.toLowerCase().split(";")
    return parameters.some((parameter) => /^\s*q=0(\.0*)?\s*$/.test(parameter)) ? [] : [name.trim()]
  })
  return (["br", "gzip"] as const).find((encoding) => names.includes(encoding)) ?? "identity"
}

/** Read and compressed once, at the first request. */
function bodyOf(asset: Asset, encoding: Encoding): Promise<Buffer> {
  const known = asset.bodies.get(encoding)
  if (known) return known
  const body = readFile(asset.file).then((bytes) => {
    if (encoding === "gzip") return promisify(gzip)(bytes)
    if (encoding === "br")
      return promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })
    return bytes
  })
  asset.bodies.set(encoding, body)
  body.catch(() => asset.bodies.delete(encoding))
  return body
}
