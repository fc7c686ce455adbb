import { errorMessage, InvalidInput, PolicyRegistry } from "@orra/core"
import { ruleOf } from "../policy/rules.ts"
import { OWNER_NAME } from "./load.ts"
import { nearest } from "./nearest.ts"
import type { Reading } from "./read.ts"
import type { Config } from "./settings.ts"

const CHANNELS = ["web", "discord", "api", "schedule", "peer"]
const DISCORD_ID = /^\d{15,21}$/

/** A misspelt rule forbids nothing, so nothing in it may be unknown; one that allows says what. */
export function checkPolicy({ policy, gateway }: Config, { problems, line }: Reading): void {
  const people = [OWNER_NAME, ...gateway.keys.map(({ name }) => name)]
  policy.forEach((entry, index) => {
    const wrong = (key: string | undefined, message: string): void =>
      void problems.push({
        line: line(["policy", index, ...(key === undefined ? [] : [key])]),
        message: `policy[${index}]${key === undefined ? "" : `.${key}`} ${message}`,
      })
    const unknown = (key: "channels" | "people", known: readonly string[], what: string): void => {
      for (const name of entry[key]) {
        if (known.includes(name) || (key === "people" && DISCORD_ID.test(name))) continue
        const meant = nearest(name, known)
        wrong(key, `"${name}" is ${what}${meant === undefined ? "" : `: did you mean "${meant}"?`}`)
      }
    }
    unknown("channels", CHANNELS, `no channel: there are ${CHANNELS.join(", ")}`)
    unknown("people", people, "nobody here: use owner, a name of gateway.keys, or the id of a Discord user")
    if (entry.decision === "allow" && entry.tools.length === 0)
      wrong(undefined, "allows tools and does not say which: name them in tools")
    for (const tool of entry.tools.length > 0 ? entry.tools : ["*"]) {
      try {
        new PolicyRegistry({ base: { [entry.decision]: [ruleOf(entry, index, tool)] } })
      } catch (error) {
        if (!(error instanceof InvalidInput)) throw error
        wrong(undefined, `is not a rule: ${errorMessage(error)}`)
      }
    }
  })
}
