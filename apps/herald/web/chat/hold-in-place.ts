/**
 * What a press does by which something below the pressed head opens or closes: the head stays where it is in the window. At
 * the end of a chat the list would follow what grows there, away from what was pressed.
 */
export const inPlace =
  (change: () => void) =>
  ({ currentTarget }: { readonly currentTarget: HTMLElement }): void => {
    holdInPlace(currentTarget)
    change()
  }

function holdInPlace(head: HTMLElement): void {
  const scroller = head.closest(".scroller")
  const { top } = head.getBoundingClientRect()
  // Called once the change is laid out, after the list's own observer, which is older, and before it is painted.
  const observer = new ResizeObserver(() => {
    observer.disconnect()
    scroller?.scrollBy({ top: head.getBoundingClientRect().top - top, behavior: "instant" })
  })
  observer.observe(head)
}
