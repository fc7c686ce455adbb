import type { ReactElement } from "react"
import { Icon } from "./icons.tsx"

/** Where somebody writes what they look for; styled in styles/records.css. */
export const SearchField = ({
  label,
  value,
  onChange,
}: {
  readonly label: string
  readonly value: string
  readonly onChange: (value: string) => void
}): ReactElement => (
  <label className="search-field">
    <Icon name="search" size={18} />
    <input
      type="search"
      aria-label={label}
      placeholder={label}
      value={value}
      maxLength={1_000}
      onChange={(event) => onChange(event.target.value)}
    />
  </label>
)
