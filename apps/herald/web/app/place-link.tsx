import type { ComponentProps, ReactElement } from "react"
import { navigate, type Place, pathOf } from "./router.ts"

/** A way to somewhere else in the page. With Ctrl, Command or Shift the browser opens it as it would any other. */
export const PlaceLink = ({
  to,
  onGo,
  ...props
}: Omit<ComponentProps<"a">, "href" | "onClick"> & {
  readonly to: Place
  /** Called when it was followed: a drawer closes then. */
  readonly onGo?: () => void
}): ReactElement => (
  <a
    {...props}
    href={pathOf(to)}
    onClick={(event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return
      event.preventDefault()
      navigate(to)
      onGo?.()
    }}
  />
)
