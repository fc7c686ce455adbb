import { randomBytes } from "node:crypto"
import { eraseNamespace, type JsonObject, MemoryStore, Namespace } from "@orra/core"
import { assert, integer, property, string } from "fast-check"
import { describe, expect, test } from "vitest"
import { Keyring } from "./seal.ts"
import { type StoredToken, TokenStore } from "./token-store.ts"

const household = Namespace.of("household")
const ada = household.child("ada")
const bob = household.child("bob")
const [oldKey, newKey] = [randomBytes(32), randomBytes(32)]

const token = (accessToken: string): StoredToken => ({
  accessToken,
  type: "Bearer",
  scopes: [],
  issuer: "https://example.com",
  clientId: "orra",
})

describe("what is sealed", () => {
  test("opens in its place, whatever it is, and shows nothing of it", () => {
    const keys = new Keyring([oldKey])
    assert(
      property(string({ unit: "grapheme", minLength: 12 }), string({ minLength: 1 }), (secret, name) => {
        const sealed = keys.seal({ namespace: ada, name }, { secret })
        expect(JSON.stringify(sealed)).not.toContain(secret)
        expect(keys.open({ namespace: ada, name }, sealed)).toEqual({ secret: secret.toWellFormed() })
      }),
      { numRuns: 50 },
    )
  })

  test("does not open when a single bit of it is another, or in another place", () => {
    const keys = new Keyring([oldKey])
    const place = { namespace: ada, name: "token notes" }
    const sealed = keys.seal(place, "a secret")
    const size = Buffer.from(sealed.data, "base64").length
    const refused = expect.objectContaining({ code: "auth_record_unreadable" })
    assert(
      property(integer({ min: 0, max: size * 8 - 1 }), (bit) => {
        const data = Buffer.from(sealed.data, "base64")
        data[bit >> 3] = (data[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(() => keys.open(place, { ...sealed, data: data.toString("base64") })).toThrow(refused)
      }),
      { numRuns: 100 },
    )
    for (const elsewhere of [
      { namespace: bob, name: "token notes" },
      { namespace: household, name: "token notes" },
      { namespace: ada, name: "token mail" },
      { namespace: ada.child("token notes"), name: "" },
    ]) {
      expect(() => keys.open(elsewhere, sealed)).toThrow(refused)
    }
    for (const change of [{ data: "" }, { data: sealed.data.slice(0, 8) }, { nonce: "" }]) {
      expect(() => keys.open(place, { ...sealed, ...change })).toThrow(refused)
    }
  })

  test("never has the same nonce twice", () => {
    const keys = new Keyring([oldKey])
    const nonces = new Set(
      Array.from({ length: 1_000 }, () => keys.seal({ namespace: ada, name: "a" }, 1).nonce),
    )
    expect(nonces.size).toBe(1_000)
  })
})

describe("the store", () => {
  test("refuses keys that are none, and to work without one", () => {
    for (const keys of [[], [new Uint8Array(31)], [oldKey, new Uint8Array(33)]]) {
      expect(() => new TokenStore(new MemoryStore(), { keys })).toThrow(
        expect.objectContaining({ code: "invalid_input" }),
      )
    }
  })

  test("a record that was copied to another namespace, or damaged, does not open there", async () => {
    const store = new MemoryStore()
    const tokens = new TokenStore(store, { keys: [oldKey] })
    await tokens.keep(ada, "notes", token("ada's"))
    const records = store.records("oauth")
    const { value = null } = (await records.get(ada, "token notes")) ?? {}
    await records.put(bob, "token notes", value)
    await records.put(ada, "token mail", value)
    for (const [namespace, name] of [
      [bob, "notes"],
      [ada, "mail"],
    ] as const) {
      await expect(tokens.login(namespace, name)).rejects.toMatchObject({ code: "auth_record_unreadable" })
    }
    for (const damaged of [
      { id: "a" },
      { ...(value as JsonObject), sealed: { key: 1 } },
      { id: "a", sealed: "text" },
    ]) {
      await records.put(bob, "token notes", damaged)
      await expect(tokens.login(bob, "notes")).rejects.toMatchObject({ code: "auth_record_unreadable" })
    }
    expect((await tokens.login(ada, "notes"))?.token?.accessToken).toBe("ada's")
  })

  test("changes its key while it is used: every login opens before, during and after", async () => {
    const store = new MemoryStore()
    const before = new TokenStore(store, { keys: [oldKey] })
    const during = new TokenStore(store, { keys: [newKey, oldKey] })
    const after = new TokenStore(store, { keys: [newKey] })
    for (let count = 0; count < 120; count++)
      await before.keep(household.child(`u${count}`), "notes", token(`${count}`))
    await before.keepPending(ada, "login 1", { expiresAt: Date.now() + 60_000, issuer: "i", clientId: "c" })
    await before.mark(household.child("u3"), "notes", await before.login(household.child("u3"), "notes"), {
      revoked: true,
    })
    await expect(after.login(household.child("u7"), "notes")).rejects.toMatchObject({
      code: "auth_key_unknown",
    })
    const [count] = await Promise.all([
      during.reseal(household),
      during.keep(household.child("u5"), "notes", token("new")),
    ])
    expect(count).toBeGreaterThanOrEqual(120)
    expect(await during.reseal(household)).toBe(0)
    expect((await after.login(household.child("u7"), "notes"))?.token?.accessToken).toBe("7")
    expect((await after.login(household.child("u5"), "notes"))?.token?.accessToken).toBe("new")
    expect(await after.pending(ada, "login 1")).toMatchObject({ issuer: "i" })
    const listed = await after.list(household)
    expect(listed.length).toBe(120)
    expect(listed.filter(({ status }) => status === "revoked").map(({ namespace }) => namespace.key)).toEqual(
      [household.child("u3").key],
    )
  })

  test("is erased with its namespace", async () => {
    const store = new MemoryStore()
    const tokens = new TokenStore(store, { keys: [oldKey] })
    await tokens.keep(ada, "notes", token("ada's"))
    await tokens.keep(bob, "notes", token("bob's"))
    await eraseNamespace(store, ada)
    expect((await tokens.list(household)).map(({ namespace }) => namespace.key)).toEqual([bob.key])
  })
})
