import { useEffect, useState } from "react"

/** The time, every `everyMs`; a hidden page keeps no timer going. */
export function useNow(everyMs: number, isActive = true): number {
  const [now, setNow] = useState(() => Date.now())
  const [wasActive, setWasActive] = useState(isActive)
  if (isActive !== wasActive) {
    // Before anything is shown: the time may have stood still for long.
    setWasActive(isActive)
    setNow(Date.now())
  }
  useEffect(() => {
    if (!isActive) return
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") setNow(Date.now())
    }, everyMs)
    return () => clearInterval(timer)
  }, [everyMs, isActive])
  return now
}
