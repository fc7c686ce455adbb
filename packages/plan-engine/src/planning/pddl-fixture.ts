import type { Pddl } from "./pddl.ts"

/*
 * A strict reader of PDDL 2.1 (Fox and Long, JAIR 2003, appendix A) as far as `:strips` and `:typing` go, and an executor
 * of plans: what it takes, VAL takes.
 */

type Node = string | readonly Node[]

/** Letter first, then letters, digits, dashes and underscores. */
const NAME = /^[a-z][a-z0-9_-]*$/
const VARIABLE = /^\?[a-z][a-z0-9_-]*$/
const RESERVED = new Set(["and", "or", "not", "forall", "exists", "when", "imply", "either", "define"])

const wrong = (what: string): never => {
  throw new Error(`PDDL: ${what}`)
}

function parse(text: string): Node {
  if (/[^\x20-\x7e\n]/.test(text)) wrong("a character that is not ASCII")
  const tokens = text.replace(/;[^\n]*/g, "").match(/[()]|[^\s()]+/g) ?? []
  let at = 0
  const read = (): Node => {
    const token = tokens[at++]
    if (token === undefined || token === ")") return wrong("a bracket that is not opened, or not closed")
    if (token !== "(") return token.toLowerCase()
    const list: Node[] = []
    while (tokens[at] !== ")") list.push(read())
    at++
    return list
  }
  const node = read()
  return at === tokens.length ? node : wrong("something behind the end")
}

const list = (node: Node | undefined): readonly Node[] =>
  Array.isArray(node) ? (node as readonly Node[]) : wrong(`a list instead of ${String(node)}`)

const word = (node: Node | undefined, form = NAME): string =>
  typeof node === "string" && form.test(node) && !RESERVED.has(node)
    ? node
    : wrong(`no name: ${String(node)}`)

/** `a b - type c - other`: each with its type. */
function typed(nodes: readonly Node[], form = NAME): readonly (readonly [string, string])[] {
  const found: [string, string][] = []
  let waiting: string[] = []
  for (let at = 0; at < nodes.length; at++) {
    if (nodes[at] !== "-") waiting.push(word(nodes[at], form))
    else {
      const type = word(nodes[++at])
      if (waiting.length === 0) wrong("a type of nothing")
      found.push(...waiting.map((name): [string, string] => [name, type]))
      waiting = []
    }
  }
  if (waiting.length > 0) wrong(`no type of ${waiting.join(" ")}`)
  const names = found.map(([name]) => name)
  if (new Set(names).size < names.length) wrong(`a name twice in ${names.join(" ")}`)
  return found
}

/** The sections of a definition by their keywords, each once and in this order; actions are many. */
function sections(node: Node, kind: string, order: readonly string[]) {
  const [define, head, ...rest] = list(node)
  if (define !== "define") wrong("no definition")
  const [what, name, ...more] = list(head)
  if (what !== kind || more.length > 0) wrong(`no ${kind}`)
  const found = new Map<string, (readonly Node[])[]>()
  let last = 0
  for (const section of rest) {
    const [keyword, ...members] = list(section)
    const place = order.indexOf(String(keyword))
    if (place < last) wrong(`${String(keyword)} where it cannot be`)
    if (place === last && place > 0 && keyword !== ":action") wrong(`${String(keyword)} twice`)
    last = place
    found.set(String(keyword), [...(found.get(String(keyword)) ?? []), members])
  }
  const one = (keyword: string): readonly Node[] => found.get(keyword)?.[0] ?? wrong(`no ${keyword}`)
  return { name: word(name), one, all: (keyword: string) => found.get(keyword) ?? [] }
}

/** The atoms of `(and …)`; each says whether it is negated. */
function literals(node: Node): readonly { readonly not: boolean; readonly atom: readonly Node[] }[] {
  const [and, ...atoms] = list(node)
  if (and !== "and") wrong("no (and …)")
  return atoms.map((each) => {
    const atom = list(each)
    return atom[0] === "not" ? { not: true, atom: list(atom[1]) } : { not: false, atom }
  })
}

/**
 * Reads all three, checks their types, and carries out the plan.
 *
 * @returns how many steps reached the goal, and the names that were declared.
 * @throws Error with what is wrong.
 */
export function validate(pddl: Pddl): { readonly steps: number; readonly names: readonly string[] } {
  const domain = sections(parse(pddl.domain), "domain", [
    "",
    ":requirements",
    ":types",
    ":predicates",
    ":action",
  ])
  if (domain.one(":requirements").join(" ") !== ":strips :typing") wrong("other requirements")
  const types = new Map(typed(domain.one(":types")))
  for (const parent of types.values())
    if (parent !== "object" && !types.has(parent)) wrong(`no type ${parent}`)
  const isA = (type: string, wanted: string): boolean => {
    for (let at: string | undefined = type; at !== undefined; at = types.get(at))
      if (at === wanted) return true
    return false
  }
  const predicates = new Map(
    domain.one(":predicates").map((each) => {
      const [name, ...parameters] = list(each)
      return [word(name), typed(parameters, VARIABLE).map(([, type]) => type)] as const
    }),
  )
  if (predicates.size < domain.one(":predicates").length) wrong("a predicate twice")
  /** An atom whose arguments are of the types that its predicate wants. */
  const atomOf = (atom: readonly Node[], typeOf: ReadonlyMap<string, string>): readonly string[] => {
    const [name, ...args] = atom.map((each) => (typeof each === "string" ? each : wrong("a list in an atom")))
    const wanted = predicates.get(name ?? "") ?? wrong(`no predicate ${name}`)
    if (wanted.length !== args.length) wrong(`${name} with ${args.length} arguments`)
    for (const [index, arg] of args.entries()) {
      const type = typeOf.get(arg) ?? wrong(`${arg} is not declared`)
      if (!isA(type, wanted[index] ?? "")) wrong(`${arg} of ${name} is a ${type}`)
    }
    return [name ?? "", ...args]
  }
  const actions = new Map(
    domain.all(":action").map(([name, ...members]) => {
      const keywords = members.filter((_, index) => index % 2 === 0).join(" ")
      if (keywords !== ":parameters :precondition :effect") wrong(`an action of ${keywords}`)
      const parameters = typed(list(members[1]), VARIABLE)
      const typeOf = new Map(parameters)
      const read = (node: Node | undefined) =>
        literals(node ?? "").map(({ not, atom }) => ({ not, atom: atomOf(atom, typeOf) }))
      const [precondition, effect] = [read(members[3]), read(members[5])]
      if (precondition.some(({ not }) => not)) wrong("a negative precondition")
      return [word(name), { parameters, precondition, effect }] as const
    }),
  )
  if (actions.size < domain.all(":action").length) wrong("an action twice")

  const problem = sections(parse(pddl.problem), "problem", ["", ":domain", ":objects", ":init", ":goal"])
  if (problem.one(":domain").join(" ") !== domain.name) wrong("another domain")
  const objects = new Map(typed(problem.one(":objects")))
  for (const type of objects.values()) if (!types.has(type)) wrong(`no type ${type}`)
  const state = new Set(problem.one(":init").map((each) => atomOf(list(each), objects).join(" ")))
  const lines = pddl.plan.split("\n").filter((line) => line !== "")
  for (const line of lines) {
    const [name = "", ...args] = list(parse(line)).map((each) => word(each))
    const { parameters, precondition, effect } = actions.get(name) ?? wrong(`no action ${name}`)
    if (args.length !== parameters.length) wrong(`${name} with ${args.length} arguments`)
    const bound = new Map(
      parameters.map(([variable, type], index): [string, string] => {
        const object = args[index] ?? ""
        if (!isA(objects.get(object) ?? wrong(`no object ${object}`), type)) wrong(`${object} is no ${type}`)
        return [variable, object]
      }),
    )
    const ground = (atom: readonly string[]): string => atom.map((each) => bound.get(each) ?? each).join(" ")
    for (const { atom } of precondition) if (!state.has(ground(atom))) wrong(`${line}: not ${ground(atom)}`)
    for (const { not, atom } of effect) if (not) state.delete(ground(atom))
    for (const { not, atom } of effect) if (!not) state.add(ground(atom))
  }
  const [goal] = problem.one(":goal")
  for (const { atom } of literals(goal ?? "")) {
    const wanted = atomOf(atom, objects).join(" ")
    if (!state.has(wanted)) wrong(`the goal ${wanted} is not reached`)
  }
  return {
    steps: lines.length,
    names: [...objects.keys(), ...actions.keys(), ...predicates.keys(), ...types.keys()],
  }
}
