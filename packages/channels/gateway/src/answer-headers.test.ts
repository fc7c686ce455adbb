import { expect, test } from "vitest"
import { SECURITY_HEADERS, secured } from "./answer-headers.ts"

const policyOf = (policy: string) =>
  secured(new Response("", { headers: { "content-security-policy": policy, "x-frame-options": "ALLOWALL" } }))
    .headers

test("a document in an origin of its own keeps its rules, and this host may show it", () => {
  const own = "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; frame-ancestors 'self'"
  expect(policyOf(own).get("content-security-policy")).toBe(own)
  expect(policyOf(own).get("x-frame-options")).toBe("SAMEORIGIN")
})

test.each([
  "default-src *",
  "sandbox allow-scripts allow-same-origin; default-src *",
  "script-src 'unsafe-inline'; sandbox allow-scripts",
])("no other answer does: %s", (policy) => {
  for (const name of ["content-security-policy", "x-frame-options"])
    expect(policyOf(policy).get(name)).toBe(SECURITY_HEADERS[name])
})
