import { expect, test } from "vitest"
import { parseGrounding, readGrounding } from "./grounding-file.ts"

const FILE = `
name: refunds
domain: shop-support
version: 1.0
use-cases:
  - action: "Refund order {orderId}"
    params:
      orderId: 17
    capabilities:
      - "Checks refunds"
      - "Pays back"
    intent: "Money goes back."
constraints:
  - "Refunds of more than 100 need a check."
  - { service: payments, after: checks }
`

const GROUNDING = {
  name: "refunds",
  domain: "shop-support",
  version: "1.0",
  useCases: [
    {
      action: "Refund order {orderId}",
      params: { orderId: "17" },
      capabilities: ["Checks refunds", "Pays back"],
      intent: "Money goes back.",
    },
  ],
  constraints: ["Refunds of more than 100 need a check.", { service: "payments", after: "checks" }],
}

test("a grounding is the same in the original's YAML and in its JSON", () => {
  expect(parseGrounding(FILE)).toEqual(GROUNDING)
  expect(parseGrounding(JSON.stringify(GROUNDING))).toEqual(GROUNDING)
  expect(readGrounding(GROUNDING)).toEqual(GROUNDING)
})

test("of capabilities it can say that their order counts", () => {
  const [useCase] = parseGrounding(FILE.replace('intent: "', 'inOrder: true\n    intent: "')).useCases
  expect(useCase?.inOrder).toBe(true)
})

test.each([
  ["no YAML", "name: [", /no YAML/],
  ["a list", "- name: refunds", /is an object/],
  ["nothing", "", /is an object/],
  ["a key twice", `${FILE}\nname: other`, /no YAML/],
  ["a key that is a list", "? [a]\n: 1", /no YAML/],
  ["a prototype", `${FILE}\n__proto__: {a: 1}`, /no YAML/],
  ["a reference to itself", "a: &a [*a]", /no YAML/],
  [
    "references that multiply",
    `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghi".replace(
      /./g,
      (name) =>
        `${name}: &${name} [${Array(9)
          .fill(`*${String.fromCharCode(name.charCodeAt(0) - 1)}`)
          .join(",")}]\n`,
    )}`,
    /no YAML/,
  ],
  ["a constraint of another kind", FILE.replace("after: checks", "follows: checks"), /must say one of/],
  ["no use case", "name: abc\ndomain: abc\nversion: 1", /at least one use case/],
])("%s is none, and that is said", (_, text, message) => {
  expect(() => parseGrounding(text)).toThrow(message)
})
