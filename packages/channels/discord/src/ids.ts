import { InvalidInput } from "@orra/core"

const ID = /^\d{15,21}$/

/** A name can be taken by anybody; an id of Discord is one person's, channel's or server's for good. */
export const isId = (text: string): boolean => ID.test(text)

/** @throws InvalidInput for what is no id of Discord. */
export function idsOf(option: string, ids: readonly string[]): ReadonlySet<string> {
  for (const id of ids) {
    if (!isId(id))
      throw new InvalidInput(
        `\`${option}\` takes ids of Discord, such as "300000000000000000", and ${JSON.stringify(id)} is none: a name may be somebody else's tomorrow. Switch on Developer Mode and use Copy User ID.`,
        { option },
      )
  }
  return new Set(ids)
}
