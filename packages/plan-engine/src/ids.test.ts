import { expect, test } from "vitest"
import { apiKeyHash, newApiKey, newId, newServiceId } from "./ids.ts"

test("ids and keys are as clients of the original engine expect them, and each is another", () => {
  for (let round = 0; round < 50; round++) {
    expect(newId("p_")).toMatch(/^p_[2-9A-HJ-NP-Za-km-z]{22}$/)
    expect(newServiceId()).toMatch(/^s_[a-z]{28}$/)
    expect(newApiKey()).toMatch(/^sk-orra-v1-[0-9a-f]{64}$/)
  }
  expect(new Set(Array.from({ length: 50 }, () => newId("o_"))).size).toBe(50)
  expect(new Set(Array.from({ length: 50 }, newApiKey)).size).toBe(50)
})

test("of a key its hash is kept, and of what is no key nothing", () => {
  const key = newApiKey()
  expect(apiKeyHash(key)).toMatch(/^[0-9a-f]{64}$/)
  expect(key).not.toContain(apiKeyHash(key))
  expect(apiKeyHash("sk-orra-v1-short")).toBeUndefined()
})
