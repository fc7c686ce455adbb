import { Approvals, Namespace } from "@orra/core"
import { hang, say } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { Attempts } from "./attempts.ts"
import {
  ADA,
  ADA_KEY,
  type Answer,
  type Client,
  type Harness,
  harness,
  OWNER,
  OWNER_KEY,
  sessionPath,
} from "./fixture.ts"
import { Logins, memoryLogins } from "./logins.ts"
import { Principals } from "./principal.ts"
import type { ClientFrame } from "./protocol.ts"
import { gatewayRoutes } from "./routes.ts"
import { FRAME_TYPES } from "./socket.ts"

// Hundreds of requests a test, on a machine that has other things to do.
const now = Date.now
const principals = new Principals([OWNER])
const ROUTES = gatewayRoutes({
  approvals: new Approvals(),
  principals,
  logins: new Logins(memoryLogins(), principals, now),
  attempts: new Attempts(now),
  now,
  showLink: undefined,
  onLogout: () => {},
})

/** Ada may do whatever concerns a session. */
const PRINCIPALS = [OWNER, { ...ADA, permissions: ["chat", "approve"] as const }] as const

/** The same id under both principals, so that nothing but the principal tells the sessions apart. */
const THEIRS = OWNER.namespace.child("diary")
const MINE = ADA.namespace.child("diary")

/** Keys that must all answer as one that does not exist, asked by Ada. */
const UNREACHABLE: Readonly<Record<string, string>> = {
  "another's session": THEIRS.key,
  "another's session that does not exist": OWNER.namespace.child("nothing").key,
  "another's deleted session": OWNER.namespace.child("deleted").key,
  "another's root": OWNER.namespace.key,
  "the root above one's own": "family",
  "a sister of one's own": "family:eve:diary",
  "a name that begins like one's own": "family:adams:diary",
  "a longer first segment": "family2:ada:diary",
  "one segment that looks like two": Namespace.of("family:ada", "diary").key,
  "a slash for a colon": "family/ada/diary",
  "other letter case": "FAMILY:ADA:diary",
  "a way up": "..:web:diary",
  "a second spelling": "family%3Aada%3Adiary",
  "a lower-case escape": "family:ada:a%3ab",
  "an empty segment": "family:ada::diary",
  "no segment": ":",
  "a space": " family:ada:diary",
  "a NUL": "family:ada\u0000:diary",
  "too long": `family:ada:${"x".repeat(2_000)}`,
  "too deep": `family:ada${":x".repeat(40)}`,
  "a prototype": "__proto__",
  "an SQL wildcard": "%",
}

/** For each route that names a session, the request that would do something if the session were one's own. */
const BY_PATH: Readonly<Record<string, unknown>> = {
  "GET /api/sessions/:namespace": undefined,
  "PATCH /api/sessions/:namespace": { title: "Mine now" },
  "PUT /api/sessions/:namespace/name": { title: "Mine now" },
  "DELETE /api/sessions/:namespace": undefined,
  "POST /api/sessions/:namespace/restore": {},
  "GET /api/sessions/:namespace/events": undefined,
  "POST /api/sessions/:namespace/messages": { message: "Hello" },
  "POST /api/sessions/:namespace/edit": { seq: 1, message: "Hello" },
  "POST /api/sessions/:namespace/regenerate": { seq: 1 },
  "POST /api/sessions/:namespace/resume": {},
  "POST /api/sessions/:namespace/stop": {},
  "POST /api/sessions/:namespace/branch": { tip: 1 },
  "POST /api/sessions/:namespace/approvals/:approvalId": { decision: "approve" },
  "PUT /api/sessions/:namespace/approve-everything": { minutes: 5 },
  "DELETE /api/approval-rules/:namespace/:ruleId": undefined,
  "POST /api/approval-rules/:namespace/:ruleId/restore": {},
  "DELETE /api/sessions/:namespace/inputs/:inputId": undefined,
}
/** Routes that take a session's key in the body. */
const BY_BODY: Readonly<Record<string, (namespace: string) => unknown>> = {
  "POST /api/chat": (namespace) => ({ message: "Hello", namespace }),
}
/** Routes that know no session but those of who asks. */
const OF_NO_SESSION = [
  "GET /health",
  "GET /api/sessions",
  "GET /api/models",
  "GET /api/approvals",
  "GET /api/me",
  "GET /api/logins",
  "DELETE /api/logins/:loginId",
  "POST /api/login",
  "POST /api/login/link",
  "POST /api/logout",
]

const FRAMES: Readonly<
  Record<ClientFrame["type"], ((namespace: string) => Record<string, unknown>) | undefined>
> = {
  subscribe: (namespace) => ({ type: "subscribe", namespace, after: 0 }),
  chat: (namespace) => ({ type: "chat", id: "1", namespace, message: "Hello" }),
  stop: (namespace) => ({ type: "stop", namespace }),
  // These name no session, or only one that the socket follows already.
  unsubscribe: undefined,
  watch: undefined,
  ping: undefined,
}

const NOT_FOUND = { code: "not_found", error: "There is no such session." }

test("every route and every frame has its case here", () => {
  const known = [...Object.keys(BY_PATH), ...Object.keys(BY_BODY), ...OF_NO_SESSION]
  expect(ROUTES.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(known.sort())
  expect([...FRAME_TYPES].sort()).toEqual(Object.keys(FRAMES).sort())
})

/** The owner has a conversation going on, one deleted, and the same ids as Ada. */
async function twoPeople(): Promise<Harness> {
  const gateway = await harness({
    principals: PRINCIPALS,
    script: ["To the owner.", "To Ada.", "Soon deleted.", [say("A secret"), hang()]],
  })
  await gateway.converse(THEIRS, "Owner's canary")
  await gateway.converse(MINE, "Ada's words")
  const deleted = OWNER.namespace.child("deleted")
  await gateway.converse(deleted)
  await gateway.runtime.update(deleted, { deletedAt: Date.now() })
  await gateway.runtime.update(THEIRS, { title: "Canary title" })
  await gateway.runtime.submit(THEIRS, "A running canary")
  await gateway.runtime.submit(THEIRS, "A waiting canary", { inputId: "waiting" })
  await gateway.provider.request(4)
  return gateway
}

/** All there is of everybody but Ada. */
async function ofOthers({ store }: Harness): Promise<unknown> {
  const all = []
  for (const deleted of [false, true]) {
    for (const root of ["web", "family", "family2", "FAMILY", "__proto__", "guest"]) {
      for (const info of (await store.list(Namespace.of(root), { deleted })).items) {
        if (ADA.namespace.contains(info.namespace)) continue
        const entries = await store.read(info.namespace, { limit: 10_000 })
        // An answer that is being written goes on.
        all.push({ key: info.namespace.key, entries: entries.filter(({ type }) => type !== "delta") })
      }
    }
  }
  return all
}

const body = ({ json }: Answer): unknown => {
  const { requestId, ...rest } = json
  expect(requestId).toMatch(/^[0-9a-f]{32}$/)
  return rest
}

describe("what is not one's own answers as what does not exist", () => {
  test("over every route", async () => {
    const gateway = await twoPeople()
    const before = await ofOthers(gateway)
    for (const [reason, key] of Object.entries(UNREACHABLE)) {
      for (const [route, content] of Object.entries(BY_PATH)) {
        const [method = "", path = ""] = route.split(" ")
        const answer = await gateway.send(
          path
            .replace(":namespace", encodeURIComponent(key))
            .replace(":inputId", "waiting")
            .replace(":approvalId", "x")
            .replace(":ruleId", "everything"),
          { method, key: ADA_KEY, body: content },
        )
        expect({ status: answer.status, ...(body(answer) as object) }, `${route}: ${reason}`).toEqual({
          status: 404,
          ...NOT_FOUND,
        })
      }
      for (const [route, content] of Object.entries(BY_BODY)) {
        const [method = "", path = ""] = route.split(" ")
        const answer = await gateway.send(path, { method, key: ADA_KEY, body: content(key) })
        expect({ status: answer.status, ...(body(answer) as object) }, `${route}: ${reason}`).toEqual({
          status: 404,
          ...NOT_FOUND,
        })
      }
    }
    expect(await ofOthers(gateway)).toEqual(before)
    expect(gateway.runtime.isRunning(THEIRS)).toBe(true)
    expect(gateway.provider.requests).toHaveLength(4)
  })

  test("over every frame", async () => {
    const gateway = await twoPeople()
    const before = await ofOthers(gateway)
    for (const [reason, key] of Object.entries(UNREACHABLE)) {
      for (const frame of Object.values(FRAMES)) {
        if (!frame) continue
        const client = await gateway.connect({ key: ADA_KEY })
        client.send(frame(key))
        const { type: _, id: _id, namespace: _namespace, ...rest } = await client.frame("error")
        expect(rest, `${frame(key)["type"]}: ${reason}`).toEqual(NOT_FOUND)
        client.send({ type: "unsubscribe", namespace: key })
        await client.settled()
        expect(client.frames.map(({ type }) => type)).toEqual(["hello", "error", "pong"])
        await client.close()
      }
    }
    expect(await ofOthers(gateway)).toEqual(before)
    expect(gateway.runtime.isRunning(THEIRS)).toBe(true)
  })

  test("what is no text at all names no session", async () => {
    const gateway = await twoPeople()
    const client = await gateway.connect({ key: ADA_KEY })
    for (const namespace of [7, true, [], ["web", "diary"], {}, { key: THEIRS.key }]) {
      const { status } = await gateway.send("/api/chat", { key: ADA_KEY, body: { message: "x", namespace } })
      expect(status).toBe(404)
      client.send({ type: "subscribe", namespace, after: 0 })
      client.send({ type: "stop", namespace })
    }
    await client.settled()
    expect(client.frames.filter(({ type }) => type === "error")).toHaveLength(12)
    expect(client.frames.some(({ type }) => type === "event")).toBe(false)
  })

  test("one's own session that does not exist, or was deleted, answers the same", async () => {
    const gateway = await harness({ principals: PRINCIPALS })
    await gateway.converse(MINE)
    await gateway.send(sessionPath(MINE), { method: "DELETE", key: ADA_KEY })
    const creates = "POST /api/sessions/:namespace/messages"
    for (const key of [MINE.key, ADA.namespace.child("nothing").key]) {
      for (const [route, content] of Object.entries(BY_PATH)) {
        if (route.endsWith("/restore") || (route === creates && key !== MINE.key)) continue
        const [method = "", path = ""] = route.split(" ")
        const answer = await gateway.send(
          path
            .replace(":namespace", encodeURIComponent(key))
            .replace(":inputId", "waiting")
            .replace(":approvalId", "x")
            .replace(":ruleId", "everything"),
          { method, key: ADA_KEY, body: content },
        )
        expect({ status: answer.status, ...(body(answer) as object) }, `${route}: ${key}`).toEqual({
          status: 404,
          ...NOT_FOUND,
        })
      }
    }
  })
})

describe("nothing of another is shown", () => {
  test("no list, search or page holds another's session, whoever made the cursor", async () => {
    const gateway = await twoPeople()
    for (let index = 0; index < 5; index++) {
      await gateway.converse(OWNER.namespace.child(`o${index}`), "Owner's canary")
      await gateway.converse(ADA.namespace.child(`a${index}`), "Ada's words")
    }
    const cursors: string[] = []
    for (const key of [OWNER_KEY, ADA_KEY]) {
      let cursor = ""
      do {
        const { json } = await gateway.send(`/api/sessions?limit=2${cursor && `&cursor=${cursor}`}`, { key })
        cursor = typeof json["cursor"] === "string" ? encodeURIComponent(json["cursor"]) : ""
        if (cursor) cursors.push(cursor)
      } while (cursor)
    }
    expect(cursors.length).toBeGreaterThan(3)
    const forged = [`9e15~${THEIRS.key}`, "0~a", `${Date.now()}~web%3Adiary`].map(encodeURIComponent)
    const queries = ["", "?q=", "?q=canary", "?q=%25", "?q=_", "?limit=500", "?deleted=true&openRun=true"]
    for (const query of [...queries, ...[...cursors, ...forged].map((cursor) => `?cursor=${cursor}`)]) {
      const answer = await gateway.send(`/api/sessions${query}`, { key: ADA_KEY })
      expect(answer.text).not.toMatch(/web|canary/i)
      for (const session of (answer.json["sessions"] ?? []) as { namespace: string }[])
        expect(session.namespace.startsWith("family:ada:")).toBe(true)
    }
  })

  test("watching and following say nothing of another's sessions", async () => {
    const gateway = await twoPeople()
    const ada = await gateway.connect({ key: ADA_KEY })
    ada.send({ type: "watch" })
    for (const namespace of [MINE.key, THEIRS.key, OWNER.namespace.key, ADA.namespace.key])
      ada.send({ type: "subscribe", namespace, after: 0 })
    await ada.settled()
    await everythingHappensTo(gateway, OWNER_KEY, THEIRS)
    await everythingHappensTo(gateway, ADA_KEY, MINE)
    await ada.frame("session_deleted", ({ namespace }) => namespace === MINE.key)
    await ada.settled()
    expect(keysSeen(ada)).toEqual([MINE.key])
    expect(JSON.stringify(ada.frames)).not.toMatch(/canary|secret/i)
  })
})

/** A message, a rename, a stop, a deletion: whatever can be seen from outside. */
async function everythingHappensTo(gateway: Harness, key: string, namespace: Namespace): Promise<void> {
  await gateway.send(sessionPath(namespace, "/stop"), { key, body: {} })
  await gateway.send("/api/chat", { key, body: { message: "canary".slice(0, 3), namespace: namespace.key } })
  await gateway.send(sessionPath(namespace), { method: "PATCH", key, body: { title: "New" } })
  await gateway.send(sessionPath(namespace), { method: "DELETE", key })
}

const keysSeen = ({ frames }: Client): readonly string[] => [
  ...new Set(
    frames.flatMap((frame) => {
      if (frame.type === "session") return [frame.session.namespace]
      return frame.type === "event" || frame.type === "session_deleted" ? [frame.namespace] : []
    }),
  ),
]
