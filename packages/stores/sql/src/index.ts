export type { RecordListOptions, Records, StoredRecord } from "./records.ts"
export { type SqliteStore, type SqliteStoreOptions, sqliteStore } from "./sqlite-store.ts"
