import type { Json, Namespace, RecordChange, RecordListOptions, Records, StoredRecord } from "@orra/core"
import { type Page, VersionConflict } from "@orra/core"

/** What is listed by its last change: all of a project, and those of one status. */
export interface Listed {
  readonly id: string
  readonly status: string
  /** When the status changed last, ms since 1970. */
  readonly updatedAt: number
}

const DIGITS = 16

/** Where things of a project are listed: all, or those of one status. */
export const listOf = (project: Namespace, status?: string): Namespace =>
  project.child("list", status ?? "all")

/** Writes it with its places in the lists, all or none. False when somebody else has written it since `before` was read. */
export async function writeListed<T extends Listed>(
  records: Records,
  project: Namespace,
  before: StoredRecord | undefined,
  after: T,
): Promise<boolean> {
  const value = after as unknown as Json
  const old = before && (before.value as unknown as Listed)
  try {
    await records.write([
      { namespace: project, key: after.id, value, expected: before?.version ?? 0 },
      ...placeChanges(project, old, after),
    ])
    return true
  } catch (error) {
    if (error instanceof VersionConflict) return false
    throw error
  }
}

/** A page of those that changed last, `limit` of them (1 to 500, default 50): no list reads more than it gives. */
export async function listed<T extends Listed>(
  records: Records,
  project: Namespace,
  { status, ...page }: { readonly status?: string } & RecordListOptions,
): Promise<Page<T>> {
  const places = await records.list(listOf(project, status), page)
  const found = await Promise.all(places.items.map(({ value }) => records.get(project, String(value))))
  // One that has moved meanwhile is where it was in this list.
  const items = found.flatMap((record) => (record ? [record.value as unknown as T] : []))
  return { ...places, items }
}

/** What removes it from everywhere. */
export const removalOf = (project: Namespace, gone: Listed): readonly RecordChange[] => [
  { namespace: project, key: gone.id, deleted: true },
  ...placesOf(project, gone).map((place) => ({ ...place, deleted: true as const })),
]

/** Whether what stands in a list under this key changed last before a time, in ms since 1970. */
export const isListedBefore = (key: string, before: number): boolean =>
  Number.MAX_SAFE_INTEGER - Number(key.slice(0, DIGITS)) < before

function placeChanges(
  project: Namespace,
  before: Listed | undefined,
  after: Listed,
): readonly RecordChange[] {
  if (before?.status === after.status && before.updatedAt === after.updatedAt) return []
  const places = placesOf(project, after)
  const left = (before ? placesOf(project, before) : []).filter(
    (old) => !places.some(({ namespace, key }) => key === old.key && namespace.equals(old.namespace)),
  )
  return [
    ...left.map((place) => ({ ...place, deleted: true as const })),
    ...places.map((place) => ({ ...place, value: after.id })),
  ]
}

const placesOf = (project: Namespace, { id, status, updatedAt }: Listed) => {
  // What changed later has the smaller key, and is listed first.
  const key = `${String(Number.MAX_SAFE_INTEGER - updatedAt).padStart(DIGITS, "0")} ${id}`
  return [
    { namespace: listOf(project), key },
    { namespace: listOf(project, status), key },
  ]
}
