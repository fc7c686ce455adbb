import { isObject, type Json } from "@orra/core"
import type { LoginRecords } from "@orra/gateway"
import type { Audit } from "@orra/store-sql"
import type { Person } from "./people.ts"

/** The logins, of which the audit says when somebody's began and ended. */
export function auditedLogins(
  records: LoginRecords,
  audit: Pick<Audit, "record">,
  people: readonly Person[],
): LoginRecords {
  const tell = async (type: "login" | "logout", login: Json | undefined): Promise<void> => {
    const by = isObject(login) ? login["principal"] : undefined
    const person = people.find(({ name }) => name === by)
    if (person) await audit.record(person.namespace, { type, by: person.name })
  }
  return {
    get: (namespace, key) => records.get(namespace, key),
    list: (namespace, options) => records.list(namespace, options),
    async put(namespace, key, value) {
      const before = await records.get(namespace, key)
      // One that goes on is written again from time to time.
      if (!before) await tell("login", value)
      return await records.put(namespace, key, value)
    },
    async delete(namespace, key) {
      const before = await records.get(namespace, key)
      const wasThere = await records.delete(namespace, key)
      if (wasThere) await tell("logout", before?.value)
      return wasThere
    },
  }
}
