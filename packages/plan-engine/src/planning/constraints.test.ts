import fc from "fast-check"
import { expect, test } from "vitest"
import { brokenRules, type Rule, readConstraint, ruleText } from "./constraints.ts"
import type { Plan, Service } from "./plan.ts"

const service = (name: string): Service => ({
  id: `s_${name}`,
  name,
  description: name,
  input: { type: "object" },
  output: { type: "object" },
})
const SERVICES = ["check", "pay", "mail"].map(service)

/** Tasks as "id service: ids it waits for". */
const planOf = (...tasks: readonly string[]): Plan => ({
  taskZero: {},
  tasks: tasks.map((text) => {
    const [, id = "", name = "", rest = ""] = /^(\S+) (\S+?)(?:: (.*))?$/.exec(text) ?? []
    const [first, ...others] = rest.split(" ").filter((each) => each !== "")
    const input = first === undefined ? {} : { from: `$${first}.x` }
    return { id, service: `s_${name}`, input, ...(others.length > 0 && { after: others }) }
  }),
})
const broken = (plan: Plan, rule: Rule) => brokenRules(plan, SERVICES, [rule]).map(({ task }) => task)

test.each<[Rule, Plan, readonly (string | undefined)[]]>([
  [{ service: "pay", after: "check" }, planOf("a check", "b pay: a"), []],
  [{ service: "pay", after: "check" }, planOf("a check", "m mail: a", "b pay: m"), []],
  [{ service: "pay", after: "s_check" }, planOf("a check", "m mail", "b pay: m a"), []],
  [{ service: "pay", after: "check" }, planOf("a check", "b pay"), ["b"]],
  [{ service: "pay", after: "check" }, planOf("b pay", "a check: b"), ["b"]],
  [{ service: "pay", after: "check" }, planOf("b pay"), ["b"]],
  [{ service: "pay", after: "check" }, planOf("a check", "b pay: a", "c pay"), ["c"]],
  [{ service: "pay", after: "check" }, planOf("m mail"), []],
  [{ service: "check", before: "pay" }, planOf("a check", "b pay: a"), []],
  [{ service: "check", before: "pay" }, planOf("a check", "b pay"), ["b"]],
  [{ service: "check", before: "pay" }, planOf("b pay"), ["b"]],
  [{ service: "pay", requires: "mail" }, planOf("b pay", "m mail"), []],
  [{ service: "pay", requires: "mail" }, planOf("b pay"), [undefined]],
  [{ service: "pay", requires: "mail" }, planOf("a check"), []],
  [{ service: "pay", atMost: 1 }, planOf("b pay"), []],
  [{ service: "pay", atMost: 1 }, planOf("b pay", "c pay"), [undefined]],
  [{ service: "pay", exactly: 1 }, planOf("b pay"), []],
  [{ service: "pay", exactly: 1 }, planOf("a check"), [undefined]],
  [{ service: "pay", exactly: 1 }, planOf("b pay", "c pay"), [undefined]],
  [{ service: "pay", never: true }, planOf("a check"), []],
  [{ service: "pay", never: true }, planOf("a check", "b pay", "c pay"), ["b", "c"]],
])("of %j a plan breaks what it breaks (%#)", (rule, plan, tasks) => {
  expect(broken(plan, rule)).toEqual(tasks)
})

test("what a constraint says is read, and said in words", () => {
  expect(readConstraint("Be kind.")).toBe("Be kind.")
  const rule = readConstraint({ service: "pay", after: "check" })
  expect(rule).toEqual({ service: "pay", after: "check" })
  const all: readonly Rule[] = [
    { service: "pay", after: "check" },
    { service: "pay", before: "check" },
    { service: "pay", requires: "check" },
    { service: "pay", atMost: 1 },
    { service: "pay", exactly: 2 },
    { service: "pay", never: true },
  ]
  expect(new Set(all.map(ruleText)).size).toBe(all.length)
})

test.each([
  5,
  " ",
  {},
  { service: "pay" },
  { after: "check" },
  { service: "pay", after: "" },
  { service: "pay", after: 5 },
  { service: "pay", atMost: -1 },
  { service: "pay", atMost: 1.5 },
  { service: "pay", never: false },
  { service: "pay", sometimes: true },
  { service: "pay", after: "check", atMost: 1 },
])("%j is no constraint, and that is said", (value) => {
  expect(() => readConstraint(value)).toThrow(/constraint/)
})

test("property: a plan keeps to 'after' when each order in which it can be done does", () => {
  const tasks = fc.array(
    fc.record({
      name: fc.constantFrom("check", "pay", "mail"),
      waits: fc.array(fc.nat(5), { maxLength: 2 }),
    }),
    { minLength: 1, maxLength: 6 },
  )
  fc.assert(
    fc.property(tasks, (made) => {
      const plan: Plan = {
        taskZero: {},
        tasks: made.map(({ name, waits }, index) => ({
          id: `t${index}`,
          service: `s_${name}`,
          input: {},
          after: waits.filter((each) => each < index).map((each) => `t${each}`),
        })),
      }
      const isKept = orders(plan).every((order) =>
        order.every((id, at) => {
          const { service } = plan.tasks[Number(id.slice(1))] ?? {}
          const before = order.slice(0, at).map((each) => plan.tasks[Number(each.slice(1))]?.service)
          return service !== "s_pay" || before.includes("s_check")
        }),
      )
      if (broken(plan, { service: "pay", after: "check" }).length === 0) expect(isKept).toBe(true)
    }),
  )
})

/** Every order in which the tasks of a plan can be done. */
function orders({ tasks }: Plan, done: readonly string[] = []): readonly (readonly string[])[] {
  if (done.length === tasks.length) return [done]
  return tasks
    .filter(({ id, after = [] }) => !done.includes(id) && after.every((each) => done.includes(each)))
    .flatMap(({ id }) => orders({ taskZero: {}, tasks }, [...done, id]))
}
