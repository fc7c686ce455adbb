import type { UserPart } from "@orra/core"

export const textOf = (parts: readonly UserPart[]): string =>
  parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n\n")

export type Attached = Exclude<UserPart, { readonly type: "text" }>

export const attachmentsOf = (parts: readonly UserPart[]): readonly Attached[] =>
  parts.filter((part): part is Attached => part.type !== "text")

/** Bytes behind base64. */
export const sizeOf = ({ data }: Attached): number =>
  Math.floor((data.length * 3) / 4) - (data.endsWith("==") ? 2 : data.endsWith("=") ? 1 : 0)
