import { type Namespace, OrraError } from "@orra/core"
import type { Audit } from "@orra/store-sql"

/**
 * Reads the whole audit at and below these.
 *
 * @returns how much there is of it.
 * @throws OrraError `audit_broken` when a link is not as it was written.
 */
export async function verifyAudit(
  audit: Audit,
  roots: readonly Namespace[],
): Promise<{ readonly chains: number; readonly links: number }> {
  let chains = 0
  let links = 0
  for (const root of roots) {
    const broken = await audit.verify(root)
    if (broken)
      throw new OrraError(
        "audit_broken",
        `Link ${broken.link} of ${broken.namespace} is not as it was written: it was ${broken.reason}. Whoever can write in the database did that; compare it with a backup.`,
        { namespace: broken.namespace.key, link: broken.link, reason: broken.reason },
      )
    for (const head of await audit.heads(root)) {
      chains++
      links += head.links
    }
  }
  return { chains, links }
}
