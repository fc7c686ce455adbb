import { useEffect, useState } from "react"

/** The time, every `everyMs`; a hidden page keeps no timer going. */
export function useNow(everyMs: number, isActive = true): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    if (!isActive) return
    setNow(Date.now())
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") setNow(Date.now())
    }, everyMs)
    return () => clearInterval(timer)
  }, [everyMs, isActive])
  return now
}
