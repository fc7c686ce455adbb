export { FileStore, type FileStoreOptions, fileStore } from "./file-store.ts"
export { type ImportReport, importSessions } from "./import-sessions.ts"
