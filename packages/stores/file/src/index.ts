export { FileStore, type FileStoreOptions, fileStore } from "./file-store.ts"
export {
  type AdoptedSession,
  type FoundSession,
  type ImportReport,
  type ImportSessionsOptions,
  importSessions,
} from "./import-sessions.ts"
