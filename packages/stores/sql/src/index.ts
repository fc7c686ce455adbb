export type { Audit, AuditHead, AuditLink, BrokenLink } from "./audit.ts"
export { type PostgresStore, type PostgresStoreOptions, postgresStore } from "./postgres-store.ts"
export { type SqliteStore, type SqliteStoreOptions, sqliteStore } from "./sqlite-store.ts"
