import { type ReactElement, type ReactNode, useId } from "react"
import { words } from "../i18n/en-activity.ts"
import { Button } from "../ui/button.tsx"
import { Icon } from "../ui/icons.tsx"
import { type ActivityPage, type Filters, KINDS, VERDICTS } from "./activity-api.ts"

/** Which of all that happened is shown. */
export function FilterBar({
  filters,
  people,
  title,
  onChange,
}: {
  readonly filters: Filters
  readonly people: ActivityPage["people"]
  /** Of the one chat that is shown, if it is one. */
  readonly title: string
  readonly onChange: (filters: Filters) => void
}): ReactElement {
  const set = (part: Partial<Filters>): void => onChange({ ...filters, ...part })
  return (
    <>
      <form
        className="activity-filters"
        aria-label={words.filters}
        onSubmit={(event) => event.preventDefault()}
      >
        <Choice label={words.kind} value={filters.kind} onChange={(kind) => set({ kind })}>
          <option value="">{words.anyKind}</option>
          {KINDS.map((kind) => (
            <option key={kind} value={kind}>
              {words.kinds[kind]}
            </option>
          ))}
        </Choice>
        {people.length > 1 && (
          <Choice
            label={words.person}
            value={filters.person}
            onChange={(person) => set({ person, chat: "" })}
          >
            <option value="">{words.anyPerson}</option>
            {people.map(({ name, namespace }) => (
              <option key={namespace} value={namespace}>
                {name}
              </option>
            ))}
          </Choice>
        )}
        <Choice label={words.verdict} value={filters.verdict} onChange={(verdict) => set({ verdict })}>
          <option value="">{words.anyVerdict}</option>
          {VERDICTS.map((verdict) => (
            <option key={verdict} value={verdict}>
              {words.verdicts[verdict]}
            </option>
          ))}
        </Choice>
        <Text label={words.tool} value={filters.tool} onChange={(tool) => set({ tool })} />
        <Text label={words.day} type="date" value={filters.day} onChange={(day) => set({ day })} />
      </form>
      {filters.chat !== "" && (
        <p className="activity-links">
          <Button onClick={() => set({ chat: "" })}>
            <Icon name="close" size={16} />
            {words.onlyChat(title)}
          </Button>
        </p>
      )}
    </>
  )
}

function Choice({
  label,
  value,
  onChange,
  children,
}: {
  readonly label: string
  readonly value: string
  readonly onChange: (value: string) => void
  readonly children: ReactNode
}): ReactElement {
  const id = useId()
  return (
    <div className="activity-filter">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} onChange={({ target }) => onChange(target.value)}>
        {children}
      </select>
    </div>
  )
}

/** What is written counts when the field is left or Enter is pressed. */
function Text({
  label,
  value,
  onChange,
  type = "search",
}: {
  readonly label: string
  readonly value: string
  readonly onChange: (value: string) => void
  readonly type?: "search" | "date"
}): ReactElement {
  const id = useId()
  const take = (text: string): void => {
    if (text.trim() !== value) onChange(text.trim())
  }
  return (
    <div className="activity-filter">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        key={value}
        type={type}
        defaultValue={value}
        autoComplete="off"
        spellCheck={false}
        maxLength={200}
        placeholder={type === "search" ? words.toolExample : undefined}
        onBlur={({ target }) => take(target.value)}
        onKeyDown={({ key, currentTarget }) => key === "Enter" && take(currentTarget.value)}
        onChange={({ target }) => type === "date" && take(target.value)}
      />
    </div>
  )
}
