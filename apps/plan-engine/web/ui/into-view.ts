/** A `ref` that keeps in sight, sideways, what is chosen among more than there is room for. */
export const intoView = (element: HTMLElement | null): void =>
  element?.scrollIntoView({ block: "nearest", inline: "center" })
