import type { Namespace, RecordChange } from "@orra/core"
import type { Orchestration, OrchestrationStatus } from "./orchestration.ts"

/** Where the orchestrations of a project are listed: all, or those of one status. */
export const listOf = (project: Namespace, status?: OrchestrationStatus): Namespace =>
  project.child("list", status ?? "all")

/** What changes in the lists of a project when one of its orchestrations does: no list has to read all of them. */
export function placeChanges(
  project: Namespace,
  before: Orchestration | undefined,
  after: Orchestration,
): readonly RecordChange[] {
  if (before?.status === after.status && before.updatedAt === after.updatedAt) return []
  const lists = ({ status }: Orchestration) => [listOf(project), listOf(project, status)]
  const places = lists(after).map((namespace) => ({ namespace, key: placeOf(after), value: after.id }))
  const left = before ? lists(before).map((namespace) => ({ namespace, key: placeOf(before) })) : []
  const isLeft = (old: (typeof left)[number]): boolean =>
    !places.some(({ namespace, key }) => key === old.key && namespace.equals(old.namespace))
  return [...left.filter(isLeft).map((place) => ({ ...place, deleted: true as const })), ...places]
}

/** What changed later has the smaller key, and is listed first. */
const placeOf = ({ updatedAt, id }: Orchestration): string =>
  `${String(Number.MAX_SAFE_INTEGER - updatedAt).padStart(16, "0")} ${id}`
