import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { asSealed, type Keychain, openVault, type Sealed } from "./vault.ts"

const SECRET = "sk-ant-api03-sécret"
let folder = ""
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "herald-vault-"))
})
afterEach(() => rmSync(folder, { recursive: true }))

function memoryKeychain(): Keychain & { readonly entries: Map<string, string> } {
  const entries = new Map<string, string>()
  return {
    entries,
    get: async (account) => entries.get(account),
    set: async (account, secret) => void entries.set(account, secret),
    delete: async (account) => void entries.delete(account),
  }
}
const broken: Keychain = {
  get: () => Promise.reject(new Error("no session")),
  set: () => Promise.reject(new Error("no session")),
  delete: () => Promise.reject(new Error("no session")),
}
const stored = (sealed: Sealed): Sealed | undefined => asSealed(JSON.parse(JSON.stringify(sealed)))

test("uses the keychain where it works, and leaves nothing on disk", async () => {
  const keychain = memoryKeychain()
  const vault = openVault(folder, keychain)
  const sealed = await vault.seal(SECRET)
  expect([...keychain.entries.values()]).toEqual([SECRET])
  expect(JSON.stringify(sealed)).not.toContain(SECRET)
  expect(readdirSync(folder)).toEqual([])
  expect(await vault.open(sealed)).toBe(SECRET)
  await vault.forget(sealed)
  expect(keychain.entries.size).toBe(0)
  await expect(vault.open(sealed)).rejects.toThrow("the keychain does not give it")
})

test("encrypts under a key of this user's alone where there is no keychain", async () => {
  for (const keychain of [undefined, broken, { ...memoryKeychain(), set: async () => undefined }]) {
    const sealed = await openVault(folder, keychain).seal(SECRET)
    expect(sealed.in).toBe("file")
    expect(JSON.stringify(sealed)).not.toContain("sk-ant")
    const again = stored(sealed)
    expect(again && (await openVault(folder, undefined).open(again))).toBe(SECRET)
  }
  if (process.platform !== "win32") expect(statSync(join(folder, "vault.key")).mode & 0o777).toBe(0o600)
})

test("the same secret never looks the same twice", async () => {
  const vault = openVault(folder, undefined)
  expect(await vault.seal(SECRET)).not.toEqual(await vault.seal(SECRET))
})

test("says to enter the key again when it cannot be read", async () => {
  const vault = openVault(folder, undefined)
  const sealed = await vault.seal(SECRET)
  if (sealed.in !== "file") throw new Error("expected a file")
  const flipped = { ...sealed, data: Buffer.from(sealed.data, "base64").fill(0, 0, 1).toString("base64") }
  await expect(vault.open(flipped)).rejects.toMatchObject({ code: "vault_unreadable" })
  const key = readFileSync(join(folder, "vault.key"))
  writeFileSync(join(folder, "vault.key"), key.subarray(1))
  await expect(vault.open(sealed)).rejects.toThrow("enter it again")
  rmSync(join(folder, "vault.key"))
  await expect(vault.open(sealed)).rejects.toThrow("vault.key is missing")
})
