/** An agent is asked once a minute at most. */
export const MIN_INTERVAL_MS = 60_000
