import { Namespace, PolicyRegistry } from "@orra/core"

export const roles = ["member", "viewer"] as const
export type Role = (typeof roles)[number]

export interface User {
  readonly name: string
  readonly role: Role
}

/** Where a user's conversation lives: below the role, whose rules therefore hold for it. */
export const sessionOf = ({ name, role }: User): Namespace => Namespace.of("company", role, name)

/**
 * Who may do what. A call is decided by the layers on its session's namespace and above it; where none of them allows
 * it, the answer is no. So a role that is forgotten here may do nothing.
 */
export function rolePolicies(): PolicyRegistry {
  const policies = new PolicyRegistry({ default: "deny" })
  policies.set(Namespace.of("company", "member"), { allow: ["*"] })
  policies.set(Namespace.of("company", "viewer"), { allow: ["risk:read"] })
  return policies
}

/** @throws Error for a role that there is none of. */
export function roleOf(name: string): Role {
  const role = roles.find((known) => known === name)
  if (!role) throw new Error(`There is no role "${name}": use ${roles.join(" or ")}.`)
  return role
}
