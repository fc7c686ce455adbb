import type { ReactElement } from "react"

/** What is known of something, name by name; what is not known is left out. */
export type FactRows = readonly (readonly [name: string, value: string | undefined])[]

export const Facts = ({ rows }: { readonly rows: FactRows }): ReactElement => (
  <dl className="activity-facts">
    {rows.map(
      ([name, value]) =>
        value !== undefined && (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <bdi>{value}</bdi>
            </dd>
          </div>
        ),
    )}
  </dl>
)
