import {
  type Envelope,
  InvalidInput,
  type Namespace,
  type Policies,
  type PolicyLayer,
  PolicyRegistry,
  type Runtime,
} from "@orra/core"

/** Nothing is allowed: what a job may whose rights are not known. */
const NOTHING: PolicyLayer = { default: "deny", ceiling: "deny" }

/** For whom a job is made: their rights are what its runs have at most. */
export interface Creator {
  /** Who, in the application's own terms. Its runs carry it. */
  readonly principal?: string | undefined
  /** Where they are, if not where the job is. */
  readonly at?: Namespace | undefined
  /** Which agent they are, if not a person. */
  readonly agent?: string | undefined
  /** On whose behalf they work themselves, if not a person's. */
  readonly envelope?: Envelope | undefined
  /** They have read what strangers wrote. */
  readonly tainted?: boolean | undefined
}

/** What a job may do, as it was frozen when it was made. */
export interface Grant {
  readonly agents: readonly string[]
  readonly bounds: readonly PolicyLayer[]
}

export const NO_GRANT: Grant = { agents: [], bounds: [NOTHING] }

/**
 * What the creator of a job may do now, tool by tool, and by what layers. A tool that comes later is not among them.
 * Today's policies are asked again in each run: these here only keep it from getting more.
 */
export async function grantOf(
  { internals, tools, policies }: Runtime,
  namespace: Namespace,
  doneBy: string | undefined,
  { at = namespace, envelope, agent = doneBy }: Creator,
): Promise<Grant> {
  const { settings } = internals
  const metadata = (await internals.logs.open(at)).info?.metadata ?? {}
  const given = settings.agent?.({ agent, namespace: at, metadata, envelope })
  const own = given?.policies ?? policies
  const mine: Policies = (envelope && settings.rights?.(envelope, own)) ?? own
  const allow: string[] = []
  const ask: string[] = []
  for (const { definition, risk } of (given?.tools ?? tools).list()) {
    const { decision } = await mine.decide(at, { tool: definition.name, risk, tainted: false })
    if (decision === "allow") allow.push(definition.name)
    else if (decision === "ask") ask.push(definition.name)
  }
  const layers = mine instanceof PolicyRegistry ? mine.layersAt(at) : []
  return {
    agents: envelope?.agents ?? [],
    bounds: [
      { allow, ask, default: "deny" },
      ...(envelope?.bounds ?? []),
      ...layers.filter((layer) =>
        Object.values(layer).some((part) => !Array.isArray(part) || part.length > 0),
      ),
    ],
  }
}

/** On whose behalf a run of the job works. */
export const envelopeOf = (
  { agents, bounds }: Grant,
  deadline: number,
  { lightweight, tainted }: { readonly lightweight?: boolean; readonly tainted?: true },
): Envelope => ({
  agents,
  depth: agents.length + 1,
  deadline,
  bounds: lightweight ? [...bounds, NOTHING] : bounds,
  ...(tainted && { tainted }),
})

/**
 * `RuntimeOptions.rights` for a runtime with a scheduler and no team: a run may do what its envelope says at most, and
 * what the policies say.
 *
 * ```ts
 * const runtime = new Runtime({ provider, store, policies, rights: jobRights(policies) })
 * ```
 */
export const jobRights =
  (policies: PolicyRegistry) =>
  (envelope: Envelope, own: Policies): PolicyRegistry =>
    (own instanceof PolicyRegistry ? own : policies).within(envelope.bounds ?? [], "schedule")

/** @throws InvalidInput where the runtime would let a job do what its grant does not say. */
export function assertNarrows({ internals, policies }: Runtime, prefix: Namespace): void {
  const { rights } = internals.settings
  const bound = rights?.({ agents: [], depth: 1, bounds: [NOTHING] }, policies)
  if (bound?.explain(prefix, { tool: "exec", risk: "exec" }).decision === "deny") return
  throw new InvalidInput(
    "The runtime does not hold jobs to their rights: give it `policies` and `rights: jobRights(policies)`, or make it a Team's.",
  )
}
