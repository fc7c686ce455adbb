export type { Document, DocumentInfo, NewDocument } from "./document.ts"
export {
  type DocumentSearchOptions,
  type DocumentSearchResult,
  Documents,
  type DocumentsOptions,
  type NewFile,
  type PutResult,
} from "./documents.ts"
export { DocumentError, type DocumentErrorCode } from "./errors.ts"
export type { IngestOptions, IngestReport } from "./ingest.ts"
export type { Passage } from "./passages.ts"
export { type DocumentToolsOptions, documentTools } from "./tools.ts"
