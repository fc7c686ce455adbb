import { type DragEvent, type HTMLAttributes, useState } from "react"

/** Where what is being dragged may be let go. */
export function useDrop(
  /** Nothing is dragged, or it is there already: undefined. */
  onDrop: (() => void) | undefined,
): Pick<HTMLAttributes<HTMLElement>, "onDragOver" | "onDragLeave" | "onDrop"> & { readonly isOver: boolean } {
  const [isOver, setOver] = useState(false)
  return {
    isOver: isOver && onDrop !== undefined,
    onDragOver(event: DragEvent) {
      if (!onDrop) return
      event.preventDefault()
      event.dataTransfer.dropEffect = "move"
      setOver(true)
    },
    onDragLeave({ currentTarget, relatedTarget }) {
      if (!(relatedTarget instanceof Node && currentTarget.contains(relatedTarget))) setOver(false)
    },
    onDrop(event) {
      event.preventDefault()
      setOver(false)
      onDrop?.()
    },
  }
}
