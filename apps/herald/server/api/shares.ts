import { createHash, randomBytes } from "node:crypto"
import { everyItem, InvalidInput, isObject, Namespace, type SessionStore } from "@orra/core"
import { type GatewayRequest, HttpError, type Route } from "@orra/gateway"
import { ownSession } from "./agents.ts"
import { jsonRoutes } from "./json-route.ts"

const DAY_MS = 24 * 3_600_000
const MAX_DAYS = 90
/** Links of one person at the same time. */
const MAX_SHARES = 100
/** Of a copy, in bytes. */
const MAX_PAGE = 8 * 1_048_576
const MAX_TITLE = 300

/** A copy is text with pictures in it: nothing of it runs, and it loads nothing. */
const RULES = [
  "sandbox",
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ")

interface Share {
  /** The chat's namespace. */
  readonly chat: string
  readonly title: string
  /** ms since 1970. */
  readonly at: number
  readonly until: number
}

const off = (): HttpError =>
  new HttpError(
    409,
    "sharing_off",
    "Links to chats are switched off. The owner of this Herald switches them on: gateway.share_links = true in the configuration.",
  )
const gone = (): HttpError => new HttpError(404, "not_found", "There is no such link, or it has ended.")

/**
 * Links to copies of chats, which whoever has the link reads without logging in, until it ends or is taken back. Of the
 * link only a digest is kept. Documented in docs/herald/api.md.
 */
export function shareRoutes({
  store,
  isOn,
}: {
  readonly store: Pick<SessionStore, "records" | "now">
  readonly isOn: () => boolean
}): readonly Route[] {
  const shares = store.records("shares")
  const pages = store.records("shared-pages")
  const now = async (): Promise<number> => (await store.now?.()) ?? Date.now()
  const drop = async (person: Namespace, id: string): Promise<boolean> => {
    await pages.delete(person, id)
    return await shares.delete(person, id)
  }
  const list = async (person: Namespace) => {
    const found: (Share & { readonly id: string })[] = []
    const time = await now()
    for await (const { key, value } of everyItem((page) => shares.list(person, page))) {
      const share = shareIn(value)
      if (share && share.until > time) found.push({ id: key, ...share })
      else await drop(person, key)
    }
    return found.sort((a, b) => b.at - a.at)
  }
  const make = async ({ principal, runtime, body }: GatewayRequest) => {
    if (!isOn()) throw off()
    const { namespace: chat, title, html, days } = await body()
    const namespace = ownSession(principal, typeof chat === "string" ? chat : undefined)
    const info = await runtime.info(namespace)
    if (!info || info.metadata["deletedAt"] !== undefined) throw gone()
    if (namespace.segments.includes("~temporary"))
      throw new InvalidInput("A temporary chat is kept nowhere, so there is no copy of it.")
    if (typeof title !== "string" || title.length > MAX_TITLE) throw new InvalidInput('"title" is text.')
    if (typeof html !== "string" || html === "" || Buffer.byteLength(html) > MAX_PAGE)
      throw new InvalidInput(`"html" is the copy, a page of at most ${MAX_PAGE / 1_048_576} MB.`)
    if (typeof days !== "number" || !(days > 0 && days <= MAX_DAYS))
      throw new InvalidInput(`"days" is a number above 0, ${MAX_DAYS} at most.`)
    const person = principal.namespace
    if ((await list(person)).length >= MAX_SHARES)
      throw new HttpError(409, "share_limit", `There are ${MAX_SHARES} links: take one back first.`)
    const secret = randomBytes(24).toString("base64url")
    const id = digestOf(secret)
    const at = await now()
    const share: Share = { chat: namespace.key, title, at, until: at + days * DAY_MS }
    // Without its entry nobody finds the page.
    await pages.put(person, id, html)
    await shares.put(person, id, { ...share })
    return { id, path: `/api/shared/${encodeURIComponent(person.key)}/${secret}`, ...share }
  }
  const route = jsonRoutes((error) => error)
  return [
    route("GET", "/api/shares", async ({ principal }) => ({
      enabled: isOn(),
      shares: await list(principal.namespace),
    })),
    route("POST", "/api/shares", make, { maxBytes: 2 * MAX_PAGE }),
    route("DELETE", "/api/shares/:id", async ({ principal, params }) => {
      if (!(await drop(principal.namespace, params["id"] ?? ""))) throw gone()
      return { revoked: true }
    }),
    {
      method: "GET",
      path: "/api/shared/:person/:secret",
      permission: "open",
      async handle({ params, runtime }) {
        const person = personIn(params["person"])
        const id = digestOf(params["secret"] ?? "")
        const share = isOn() && person ? shareIn((await shares.get(person, id))?.value) : undefined
        if (!person || !share || share.until <= (await now())) throw gone()
        // What has been deleted is to be seen nowhere.
        const info = await runtime.info(Namespace.parse(share.chat))
        const page = (await pages.get(person, id))?.value
        if (!info || info.metadata["deletedAt"] !== undefined || typeof page !== "string") throw gone()
        return new Response(page, {
          headers: {
            "content-type": "text/html; charset=utf-8",
            "content-security-policy": RULES,
            "x-robots-tag": "noindex",
          },
        })
      },
    },
  ]
}

const digestOf = (secret: string): string => createHash("sha256").update(secret).digest("base64url")

function personIn(key: string | undefined): Namespace | undefined {
  try {
    return Namespace.parse(key ?? "")
  } catch {
    return undefined
  }
}

function shareIn(value: unknown): Share | undefined {
  if (!isObject(value)) return undefined
  const { chat, title, at, until } = value
  return typeof chat === "string" &&
    typeof title === "string" &&
    typeof at === "number" &&
    typeof until === "number"
    ? { chat, title, at, until }
    : undefined
}
