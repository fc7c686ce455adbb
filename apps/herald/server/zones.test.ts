import { MemoryStore, Namespace } from "@orra/core"
import { expect, test } from "vitest"
import { Zones } from "./zones.ts"

const ada = Namespace.of("ada")
const bob = Namespace.of("bob")

test("where somebody is holds for all their sessions, for nobody else's, and after a restart", async () => {
  const records = new MemoryStore().records("people")
  const zones = await Zones.open(records, [ada, bob], "UTC")
  await zones.set(ada, "Asia/Tokyo")
  for (const each of [zones, await Zones.open(records, [ada, bob], "Europe/Oslo")]) {
    expect(each.of(ada.child("chat", "~agents", "run", "call"))).toBe("Asia/Tokyo")
    expect([each.isKnown(ada), each.isKnown(bob)]).toEqual([true, false])
  }
  expect(zones.of(bob.child("chat"))).toBe("UTC")
  expect(zones.of(Namespace.of("discord", "1", "2", "3"))).toBe("UTC")
})

test("the language of somebody is kept as well, and what is none is refused", async () => {
  const records = new MemoryStore().records("people")
  const zones = await Zones.open(records, [ada, bob], "UTC")
  await zones.setLanguage(ada, "pt-BR")
  for (const language of ["", "portuguese (Brazil)", 5, null, "x".repeat(100)])
    await expect(zones.setLanguage(ada, language), String(language)).rejects.toThrow("BCP 47")
  for (const each of [zones, await Zones.open(records, [ada, bob], "UTC")]) {
    expect(each.languageOf(ada.child("chat"))).toBe("pt-BR")
    expect(each.languageOf(bob.child("chat"))).toBeUndefined()
    expect(each.isKnown(ada)).toBe(false)
  }
})

test("of a tag with more in it the language is kept, which always has a name", async () => {
  const records = new MemoryStore().records("people")
  const zones = await Zones.open(records, [ada, bob], "UTC")
  await zones.setLanguage(ada, "en-u-ca-buddhist")
  await zones.setLanguage(bob, "de-CH-x-private")
  await records.put(bob, "language", "de-CH-u-nu-latn")
  for (const each of [zones, await Zones.open(records, [ada, bob], "UTC")])
    expect([each.languageOf(ada), each.languageOf(bob)]).toEqual(["en", "de-CH"])
})

test("what is no zone is refused, and what was there stays", async () => {
  const zones = await Zones.open(new MemoryStore().records("people"), [ada], "UTC")
  await zones.set(ada, "Asia/Tokyo")
  for (const zone of ["Mars", "", 5, null, "x".repeat(1_000)])
    await expect(zones.set(ada, zone), String(zone)).rejects.toThrow("IANA")
  expect(zones.of(ada)).toBe("Asia/Tokyo")
})
