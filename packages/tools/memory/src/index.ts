export { MemoryError, type MemoryErrorCode } from "./errors.ts"
export type { ChangeType } from "./ledger.ts"
export {
  Memories,
  type MemoryChange,
  type MemoryPatch,
  type NewMemory,
  type Remembered,
} from "./memories.ts"
export type { Memory, Source } from "./memory.ts"
export type { MemoriesOptions } from "./options.ts"
