import {
  type Json,
  type Namespace,
  NotFound,
  OrraError,
  type Records,
  type SessionStore,
  VersionConflict,
} from "@orra/core"
import { allIn, isName } from "../stored.ts"
import type { Grounding } from "./grounding-file.ts"

/** The groundings of an engine's projects. */
export class Groundings {
  readonly #records: Records
  readonly #root: Namespace

  constructor(store: Pick<SessionStore, "records">, root: Namespace) {
    this.#records = store.records("plan-groundings")
    this.#root = root
  }

  /** Applies one, in the place of another version of it. @throws OrraError `plan_grounding_known` for a version that is there. */
  async apply(projectId: string, grounding: Grounding): Promise<void> {
    const namespace = this.#root.child(projectId)
    for (;;) {
      const known = await this.#records.get(namespace, grounding.name)
      if ((known?.value as unknown as Grounding | undefined)?.version === grounding.version)
        throw new OrraError(
          "plan_grounding_known",
          `Version ${grounding.version} of ${grounding.name} is there already: give it another version, or remove that one.`,
        )
      try {
        const value = grounding as unknown as Json
        await this.#records.put(namespace, grounding.name, value, { expected: known?.version ?? 0 })
        return
      } catch (error) {
        if (!(error instanceof VersionConflict)) throw error
      }
    }
  }

  /** All of a project, by their names. */
  async list(projectId: string): Promise<readonly Grounding[]> {
    return await allIn(this.#records, this.#root.child(projectId))
  }

  /** @throws NotFound. */
  async remove(projectId: string, name: string): Promise<void> {
    if (!isName(name) || !(await this.#records.delete(this.#root.child(projectId), name)))
      throw new NotFound("grounding")
  }
}
