import { readdirSync, readFileSync } from "node:fs"
import type { IncomingMessage, ServerResponse } from "node:http"
import { extname, join, relative } from "node:path"
import { gzipSync } from "node:zlib"

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
}

/** Nothing is loaded from elsewhere, framed, or told where it came from. */
const RULES: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
}

/**
 * Answers requests for the files of a built page. Files are those that were there at start, by their exact names, so no
 * path leads anywhere else.
 *
 * @returns a function that says whether the request was for one of them, and so is answered.
 */
export function servePage(folder: string): (request: IncomingMessage, response: ServerResponse) => boolean {
  const files = new Map<string, { readonly type: string; readonly plain: Buffer; readonly packed: Buffer }>()
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    const path = `/${relative(folder, file).replaceAll("\\", "/")}`
    const plain = readFileSync(file)
    const type = TYPES[extname(file)] ?? "application/octet-stream"
    files.set(path === "/index.html" ? "/" : path, { type, plain, packed: gzipSync(plain) })
  }
  return (request, response) => {
    const [path = ""] = (request.url ?? "").split("?", 1)
    const file = files.get(path)
    if (!file || (request.method !== "GET" && request.method !== "HEAD")) return false
    const isPacked = /\bgzip\b/.test(request.headers["accept-encoding"] ?? "")
    response.writeHead(200, {
      ...RULES,
      "content-type": file.type,
      "content-length": (isPacked ? file.packed : file.plain).length,
      ...(isPacked && { "content-encoding": "gzip" }),
      vary: "accept-encoding",
      // Names below /assets carry a hash of the content.
      "cache-control": path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
    })
    response.end(request.method === "HEAD" ? undefined : isPacked ? file.packed : file.plain)
    return true
  }
}
