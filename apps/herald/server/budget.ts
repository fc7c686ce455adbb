import {
  Budgets,
  DEFAULT_PRICES,
  everyItem,
  InvalidInput,
  type Limit,
  type LimitState,
  Namespace,
  type PriceTable,
  type Runtime,
  type SessionStore,
} from "@orra/core"
import type { Principal, Route } from "@orra/gateway"
import { discordRoot, OWNER, OWNER_NAME } from "./config/load.ts"
import type { Config } from "./config/settings.ts"
import { PEERS, peersOf } from "./federation/peers.ts"

/** What everybody may spend, and has. */
export interface HeraldBudget {
  readonly budgets: Budgets
  /** Sets the limits of a configuration. */
  apply(config: Config): void
  /** Everybody sees what is theirs; the owner sees all, and may allow more. Documented in docs/herald/api.md. */
  routes(runtime: Runtime): readonly Route[]
}

/** What an agent of another Herald costs is paid there. */
const PRICES: PriceTable = {
  ...DEFAULT_PRICES,
  models: { ...DEFAULT_PRICES.models, "herald:*": { input: 0, output: 0 } },
}

/** Whose money it is. */
interface Payer {
  readonly name: string
  readonly namespace: Namespace
}

export function heraldBudget(store: SessionStore, first: Config): HeraldBudget {
  const budgets = new Budgets({ store, prices: PRICES })
  let payers: readonly Payer[] = []
  const apply = (config: Config): void => {
    const now = payersOf(config)
    const limits = limitsOf(config)
    for (const { namespace } of payers)
      if (!now.some((each) => each.namespace.equals(namespace))) budgets.set(namespace, [])
    for (const { namespace } of now) budgets.set(namespace, limits)
    payers = now
  }
  apply(first)
  return {
    budgets,
    apply,
    routes: (runtime) => [
      {
        method: "GET",
        path: "/api/usage",
        permission: "chat",
        handle: async ({ principal }) => Response.json(await usage(budgets, payers, principal)),
      },
      {
        method: "POST",
        path: "/api/usage/grants",
        permission: "owner",
        handle: async ({ body, principal }) => {
          const { namespace, more } = grantIn(await body(), payers)
          await budgets.grant(namespace, more)
          await wakeBelow(runtime, namespace)
          return Response.json(await usage(budgets, payers, principal))
        },
      },
    ],
  }
}

const payersOf = (config: Config): readonly Payer[] => [
  { name: OWNER_NAME, namespace: OWNER },
  ...config.gateway.keys.map(({ name, namespace }) => ({ name, namespace: Namespace.parse(namespace) })),
  ...(config.discord.token === undefined ? [] : [{ name: "Discord", namespace: discordRoot(config) }]),
  ...peersOf(config).map(({ name }) => ({ name, namespace: PEERS.child(name) })),
]

/** A day and a month are counted whether they have a limit or not. */
function limitsOf({ budget, provider }: Config): readonly Limit[] {
  const { usd_per_run, usd_per_day, usd_per_month, at_limit } = budget
  const { cheap_model } = provider
  const atLimit = at_limit === "cheap" && cheap_model !== undefined ? { model: cheap_model } : at_limit
  const held = atLimit === "cheap" ? "stop" : atLimit
  return [
    ...(usd_per_run === undefined ? [] : [{ per: "run", usd: usd_per_run, atLimit: held } as const]),
    { per: "day", usd: usd_per_day ?? Number.POSITIVE_INFINITY, atLimit: held },
    { per: "month", usd: usd_per_month ?? Number.POSITIVE_INFINITY, atLimit: held },
    { per: "day", tokens: Number.POSITIVE_INFINITY, modelCalls: Number.POSITIVE_INFINITY },
  ]
}

async function usage(budgets: Budgets, payers: readonly Payer[], principal: Principal) {
  const isOwner = principal.permissions.includes("owner")
  const shown = payers.filter(({ namespace }) => isOwner || namespace.equals(principal.namespace))
  const people = shown.map(async ({ name, namespace }) => ({
    name,
    namespace: namespace.key,
    limits: (await budgets.state(namespace)).map(wireLimit),
  }))
  return { people: await Promise.all(people) }
}

/** JSON knows no infinity: what only counts has no limit. */
const wireLimit = ({ per, unit, limit, spent, reserved, left, renewsAt, unpriced }: LimitState) => ({
  per,
  unit,
  limit: Number.isFinite(limit) ? limit : null,
  spent,
  reserved,
  left: Number.isFinite(left) ? left : null,
  renews_at: renewsAt ?? null,
  unpriced: unpriced === true,
})

function grantIn(body: Readonly<Record<string, unknown>>, payers: readonly Payer[]) {
  const { namespace: key, per, usd } = body
  const payer = payers.find(({ namespace }) => namespace.key === key)
  if (!payer) throw new InvalidInput("`namespace` is that of somebody who talks to this Herald.")
  if (per !== "day" && per !== "month") throw new InvalidInput('`per` is "day" or "month".')
  if (typeof usd !== "number") throw new InvalidInput("`usd` is how much more may be spent.")
  return { namespace: payer.namespace, more: { per, unit: "usd", amount: usd } as const }
}

/** Answers that wait for a budget go on. */
async function wakeBelow(runtime: Runtime, prefix: Namespace): Promise<void> {
  for await (const { namespace } of everyItem((page) =>
    runtime.store.list(prefix, { waiting: true, ...page }),
  ))
    await runtime.wake(namespace)
}
