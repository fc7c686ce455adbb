import { documentTools } from "@orra/documents"
import type { Library } from "../documents/library.ts"
import type { ToolFamily } from "./tools.ts"

/** Searching what a person gave it, and the folders they may see. The model adds and removes nothing. */
export const heraldDocuments = ({ documents, scope }: Library): ToolFamily => ({
  tools: documentTools(documents, { scope }),
})
