import { formatNumber } from "./index.ts"

/** What stands below an answer: where it is from, and what is remembered. */
export const words = {
  label: "What the answer stands on",
  sources: "Sources",
  all: (count: string) => `Show all ${count}`,
  memory: "Memory",
  place: ({
    page,
    from,
    to,
  }: {
    readonly page?: number
    readonly from: number
    readonly to: number
  }): string =>
    [
      ...(page === undefined ? [] : [`page ${formatNumber(page)}`]),
      to <= from ? `line ${formatNumber(from)}` : `lines ${formatNumber(from)}–${formatNumber(to)}`,
    ].join(", "),
  recalled: (count: number, shown: string) =>
    count === 1 ? "1 memory was looked at" : `${shown} memories were looked at`,
  remembered: (content: string) => (content === "" ? "Remembered" : `Remembered: ${content}`),
  forgotten: () => "Forgotten",
  takenBack: "Taken back",
}
