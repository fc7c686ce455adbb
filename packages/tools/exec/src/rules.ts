import { basename } from "node:path"
import type { Decision } from "@orra/core"
import { InvalidInput } from "@orra/core"
import type { Command } from "./prepare.ts"
import { kindOf, type ProgramKind, tellingArgument } from "./programs.ts"
import { splitCommand } from "./split.ts"

/**
 * A program with its arguments: `"git status"`, `"ls -l *"`, `"ls"`. One word alone stands for any arguments; a `*`
 * stands for any text within one argument and, as the last word, for any further arguments; quotes as in a command. The
 * form with `args` says the same word by word, and can say that there are none: `{ program: "ls", args: [] }`.
 */
export type CommandRule = string | { readonly program: string; readonly args?: readonly string[] }

export interface RuleOptions {
  /** Commands that run without a question. A program is named by its name or its absolute path. */
  readonly allow?: readonly CommandRule[]
  /** Commands that a person is asked about, whatever `allow` says. The words may stand anywhere in the command. */
  readonly ask?: readonly CommandRule[]
  /** Commands that never run. The words may stand anywhere in the command. */
  readonly deny?: readonly CommandRule[]
  /** Every other command. Default `ask`. */
  readonly default?: Decision
}

/** Why a command is allowed, asked about or denied. There are as many as there are rules, and the list is fixed. */
export interface Reason {
  readonly decision: Decision
  readonly name: string
}

export interface Rules {
  readonly reasons: readonly Reason[]
  /** Rules that do not allow what they seem to, for a person. */
  readonly remarks: readonly string[]
  judge(command: Command): Reason
}

interface Pattern {
  readonly program: string
  /** Undefined: any. */
  readonly args: readonly string[] | undefined
}

/**
 * Rules that can be asked. A rule that allows holds for one real file under one name, so that no link, copy or other
 * program of the same name passes for it, and covers arguments in their places. A rule that leaves arguments open
 * covers none that makes the program run another one or leads out of the directory; one that spells all of them out is
 * taken at its word.
 *
 * @param known The real path of the program that a name stands for, or undefined where there is none.
 * @throws InvalidInput for a rule that is not one.
 */
export function compileRules(
  { allow = [], ask = [], deny = [], default: otherwise = "ask" }: RuleOptions,
  {
    known,
    shellAllowed,
    isolated,
  }: {
    readonly known: (program: string) => string | undefined
    readonly shellAllowed: boolean
    readonly isolated: boolean
  },
): Rules {
  if (!["allow", "ask", "deny"].includes(otherwise)) {
    throw new InvalidInput(`"${otherwise}" is not a decision: use "deny", "ask" or "allow".`)
  }
  const forbidding = (decision: Decision, rules: readonly CommandRule[]) =>
    rules.map((rule) => {
      const pattern = parseRule(rule)
      const reason: Reason = { decision, name: `${decision} ${describe(pattern)}` }
      return { reason, matches: (command: Command) => occurs(pattern, command) }
    })
  const denied = forbidding("deny", deny)
  const asked = forbidding("ask", ask)
  const allowed = allow.map((rule) => {
    const pattern = parseRule(rule)
    const real = known(pattern.program)
    const reason: Reason = { decision: "allow", name: `allow ${describe(pattern)}` }
    const spelledOut = pattern.args?.every((arg) => !arg.includes("*")) ?? false
    const name = basename(pattern.program)
    const matches = (command: Command): boolean =>
      real !== undefined &&
      command.program === real &&
      basename(command.argv[0]) === name &&
      covers(pattern.args, command.argv.slice(1))
    const kind = real === undefined ? undefined : kindOf(name, basename(real))
    return { reason, spelledOut, matches, remark: remarkOn(pattern, { real, kind, spelledOut }) }
  })
  const fixed = {
    privilege: { decision: "deny", name: "it gives other rights" },
    shellDenied: { decision: "deny", name: "it is a shell, and there is none here" },
    shell: { decision: "ask", name: "it runs in a shell" },
    local: { decision: "ask", name: "the program lies in the working directory, where it can be changed" },
    foreign: { decision: "ask", name: "no rule names it, and it is none of the system's programs" },
    runner: {
      decision: "ask",
      name: "its name alone says nothing: it can run other programs, or read what is not meant for it",
    },
    telling: {
      decision: "ask",
      name: "an argument can make the program run another one, write elsewhere or follow links",
    },
    outside: { decision: "ask", name: "an argument leads out of the working directory" },
    otherwise: { decision: otherwise, name: "no rule names it" },
  } as const satisfies Record<string, Reason>
  return {
    reasons: [...denied, ...asked, ...allowed].map(({ reason }) => reason).concat(Object.values(fixed)),
    remarks: allowed.flatMap(({ remark }) => remark ?? []),
    judge(command) {
      const matching = <R extends { matches(command: Command): boolean }>(rules: readonly R[]) =>
        rules.filter((rule) => rule.matches(command))
      const [no] = matching(denied)
      if (no) return no.reason
      const [question] = matching(asked)
      if (command.shell) return question?.reason ?? fixed.shell
      const yes = matching(allowed)
      const literal = yes.find(({ spelledOut }) => spelledOut)
      if (command.kind === "privilege") return fixed.privilege
      if (command.kind === "shell" && !shellAllowed && !literal) return fixed.shellDenied
      if (question) return question.reason
      if (command.local) return fixed.local
      if (literal) return literal.reason
      if (command.kind === "shell") return fixed.shell
      const reason = yes[0]?.reason ?? fixed.otherwise
      if (reason.decision !== "allow") return reason
      if (reason === fixed.otherwise && !command.installed) return fixed.foreign
      if (command.kind === "runner") return fixed.runner
      if (tellingArgument(command.names, command.argv.slice(1)) !== undefined) return fixed.telling
      // Where nothing else is there to be reached, it may try.
      if (command.outside !== undefined && !isolated) return fixed.outside
      return reason
    },
  }
}

/** What an owner has to know of a rule that allows. */
function remarkOn(
  pattern: Pattern,
  facts: {
    readonly real: string | undefined
    readonly kind: ProgramKind | undefined
    readonly spelledOut: boolean
  },
): string | undefined {
  const rule = describe(pattern)
  if (facts.real === undefined) return `${rule} allows nothing: there is no such program here`
  if (facts.kind === "privilege") return `${rule} allows nothing: programs that give other rights never run`
  if (facts.kind === undefined || facts.spelledOut) return undefined
  const what = facts.kind === "shell" ? "a shell" : "a program that can run others"
  return `${rule} allows nothing by itself, since it is ${what}: spell out the arguments that shall be allowed`
}

function parseRule(rule: CommandRule): Pattern {
  const { program, args } = typeof rule === "string" ? parseText(rule) : rule
  const isName = typeof program === "string" && program !== "" && !/[*\s]/.test(program)
  if (!isName || (program.includes("/") && !program.startsWith("/"))) throw notARule(rule)
  if (args !== undefined && !(Array.isArray(args) && args.every((arg) => typeof arg === "string"))) {
    throw notARule(rule)
  }
  return { program, args }
}

function parseText(rule: string): Pattern {
  // The star is the only sign of its own that a rule has.
  const line = typeof rule === "string" ? splitCommand(rule.replaceAll("*", STAR)) : undefined
  if (line?.type !== "argv") throw notARule(rule)
  const [program = "", ...args] = line.words.map((word) => word.replaceAll(STAR, "*"))
  return { program, args: args.length > 0 ? args : undefined }
}

/** A private character that stands for the star while a rule is split. */
const STAR = "\uE000"

const notARule = (rule: unknown): InvalidInput =>
  new InvalidInput(
    `${JSON.stringify(rule)} is not a rule: write a program's name or absolute path and its arguments, ` +
      'such as "ls", "git status" or "ls -l *".',
  )

const describe = ({ program, args = ["*"] }: Pattern): string => `\`${[program, ...args].join(" ")}\``

/** Every argument in its place. */
function covers(pattern: readonly string[] | undefined, args: readonly string[]): boolean {
  if (pattern === undefined) return true
  const open = pattern.at(-1) === "*"
  const fixed = open ? pattern.slice(0, -1) : pattern
  if (args.length < fixed.length || (!open && args.length > fixed.length)) return false
  return fixed.every((glob, index) => matchesGlob(glob, args[index] as string))
}

/** The program by any of its names, and the words in their order, whatever stands between them. */
function occurs({ program, args = [] }: Pattern, { argv, names, program: real }: Command): boolean {
  const isNamed = program.startsWith("/")
    ? program === real || program === argv[0]
    : names.some((name) => fold(name) === fold(program))
  if (!isNamed) return false
  let from = 1
  for (const glob of args) {
    if (glob === "*") continue
    const found = argv.findIndex((arg, index) => index >= from && matchesGlob(fold(glob), fold(arg)))
    if (found < 0) return false
    from = found + 1
  }
  return true
}

const fold = (text: string): string => text.normalize("NFKC").toLowerCase()

/** Each piece is looked for once, left to right. */
function matchesGlob(glob: string, text: string): boolean {
  const [first = "", ...rest] = glob.split("*")
  const last = rest.pop()
  if (last === undefined) return text === glob
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length)
    return false
  let from = first.length
  for (const piece of rest) {
    const found = text.indexOf(piece, from)
    if (found < 0 || found + piece.length > text.length - last.length) return false
    from = found + piece.length
  }
  return true
}
