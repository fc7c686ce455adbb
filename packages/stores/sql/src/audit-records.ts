import type { Json, JsonObject } from "@orra/core"
import { fromJson } from "./json.ts"

/** A record that is written, as text, or removed. */
interface Written {
  readonly collection: string
  readonly key: string
  readonly value: string | undefined
}

/** What the audit says, with digests in place of content. */
type Event = (digestOf: (content: string) => string) => JsonObject

/** Collections that say who may do what, and what is said of a record of them. */
const AUDITED: Readonly<Record<string, (written: Written) => Event | undefined>> = {
  "approval-rules":
    ({ collection, key, value }) =>
    (digestOf) =>
      value === undefined
        ? { type: "record_deleted", collection, key }
        : { type: "record_written", collection, key, value: digestOf(value) },
  "policy-layers": (written) => changed("policy_changed", "layer", written),
  "budget-limits": (written) => changed("limits_changed", "limits", written),
  // Accounts are in it as well, which change with each call.
  budgets({ key, value }) {
    if (value === undefined || !key.startsWith("grant ")) return undefined
    const { grant } = fromJson<{ readonly grant: JsonObject }>(value)
    return () => ({ type: "budget_granted", ...grant })
  },
}

export const isAudited = (collection: string): boolean => Object.hasOwn(AUDITED, collection)

/** Undefined when the audit says nothing of it. */
export const eventOf = (written: Written): Event | undefined => AUDITED[written.collection]?.(written)

/** What core writes of something that was set, and by whom: null where it was removed. */
function changed(type: string, name: string, { value: text }: Written): Event | undefined {
  if (text === undefined) return undefined
  const { value, by } = fromJson<{ readonly value: Json; readonly by?: string }>(text)
  const what = value === null ? undefined : { [name]: JSON.stringify(value) }
  return () => ({ type, ...what, ...(by !== undefined && { by }) })
}
