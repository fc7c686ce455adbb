import type { ReactElement } from "react"

const PATHS = {
  plus: "M12 5v14M5 12h14",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM20 20l-4-4",
  menu: "M4 7h16M4 12h16M4 17h10",
  panel: "M4 5h16v14H4zM9.500 5v14",
  beside: "M4 5h16v14H4zM14.500 5v14",
  larger: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  smaller: "M9 4v5H4M20 9h-5V4M15 20v-5h5M4 15h5v5",
  close: "M6 6l12 12M18 6L6 18",
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M7 7h10v10H7z",
  copy: "M9 9h10v10H9zM5 15V5h10",
  check: "M5 12.500l4.500 4.500L19 7.500",
  edit: "M5 19l1-4L16 5l3 3L9 18zM14 7l3 3",
  retry: "M19 12a7 7 0 1 1-2.300-5.200M19 4v4h-4",
  more: "M6 12h.01M12 12h.01M18 12h.01",
  trash: "M5 7h14M10 7V5h4v2M7 7l1 12h8l1-12",
  left: "M14 6l-6 6 6 6",
  right: "M10 6l6 6-6 6",
  down: "M6 10l6 6 6-6",
  up: "M6 15l6-6 6 6",
  pin: "M9 4h6l-1 6 3 3H7l3-3zM12 13v7",
  chat: "M4 5h16v11H10l-5 4v-4H4z",
  archive: "M4 5h16v4H4zM5.500 9v10h13V9M10 13h4",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  undo: "M5 9h9a5 5 0 0 1 0 10h-4M8.500 5.500L5 9l3.500 3.500",
  ghost: "M6 20V11a6 6 0 0 1 12 0v9l-3-2-3 2-3-2zM10 11h.01M14 11h.01",
  arrowDown: "M12 5v14M6 13l6 6 6-6",
  info: "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 11v5M12 8h.01",
  warning: "M12 4l9 16H3zM12 10v4M12 17h.01",
  attach: "M8 12.500l6-6a3 3 0 0 1 4.200 4.200l-8 8a5 5 0 0 1-7-7l7.500-7.500",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.400 1.400M17.600 17.600L19 19M19 5l-1.400 1.400M6.400 17.600L5 19",
  moon: "M19.500 14.500A8 8 0 0 1 9.500 4.500a8 8 0 1 0 10 10z",
  system: "M4 5h16v11H4zM9 20h6M12 16v4",
  shield: "M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6zM9 12l2.500 2.500L15.500 10",
  settings:
    "M4 8h10M18 8h2M4 16h2M10 16h10M16 10.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM8 18.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z",
  keyboard: "M3 7h18v11H3zM7 11h.01M11 11h.01M15 11h.01M8 14.500h8",
  logout: "M14 5h5v14h-5M4 12h11M11 8l4 4-4 4",
  download: "M12 4v11M7 10l5 5 5-5M5 20h14",
  wrap: "M4 6h16M4 12h13a3 3 0 0 1 0 6h-4M15 15.500L12.500 18l2.500 2.500M4 18h4",
  tool: "M14.500 6.500a4 4 0 0 1 5-1l-2.500 2.500.5 2 2 .5L22 8a4 4 0 0 1-5.500 5L8 21.500 4.500 18l8.500-8.500a4 4 0 0 1 1.500-3z",
  eye: "M2.500 12C5 7.500 8.500 5.500 12 5.500s7 2 9.500 6.500c-2.500 4.500-6 6.500-9.500 6.500S5 16.500 2.500 12zM12 14.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z",
  globe: "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM4 12h16M12 4c3 3 3 13 0 16M12 4c-3 3-3 13 0 16",
  clock: "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 8v4l3 2",
  terminal: "M4 5h16v14H4zM7.500 9.500l3 2.500-3 2.500M12.500 15h4",
  folder: "M4 6h6l2 2.500h8V18H4z",
  folderPlus: "M4 6h6l2 2.500h8V18H4zM12 11v4.500M9.700 13.200h4.600",
  branch:
    "M7 16V8M7 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM7 20a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM17 9a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM17 9c0 3-4 3-10 7",
  bot: "M5 9h14v10H5zM12 9V5M10 5h4M9 13.500v1M15 13.500v1",
  plug: "M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4",
  thought: "M9 18h6M10 21h4M8 14a6 6 0 1 1 8 0c-.7.7-1 1.500-1 2H9c0-.5-.3-1.300-1-2z",
  mic: "M12 14a3 3 0 0 0 3-3V6a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3zM6 11a6 6 0 0 0 12 0M12 17v4M9 21h6",
  speaker: "M4 10v4h4l5 4V6L8 10zM16 9.500a4 4 0 0 1 0 5M18.500 7a8 8 0 0 1 0 10",
  play: "M8 5l11 7-11 7z",
  pause: "M8 5v14M16 5v14",
  list: "M9 6h11M9 12h11M9 18h11M4.500 6h.01M4.500 12h.01M4.500 18h.01",
  activity: "M3 12h4l3-8 4 16 3-8h4",
  queue: "M4 6h16M4 12h10M4 18h7M17 14v6M14 17h6",
} as const

export type IconName = keyof typeof PATHS

/** They point to a side of the page: where it is read from right to left, to the other one. */
const SIDED: ReadonlySet<IconName> = new Set(["left", "right", "panel", "beside"])

/** Decoration: what it means is said by the text or label beside it. */
export const Icon = ({
  name,
  size = 20,
}: {
  readonly name: IconName
  readonly size?: number
}): ReactElement => (
  <svg
    className={SIDED.has(name) ? "icon sided" : "icon"}
    width={size}
    height={size}
    viewBox="0 0 24 24"
    fill="none"
    stroke="currentColor"
    strokeWidth={name === "more" ? 2.6 : 1.7}
    strokeLinecap="round"
    strokeLinejoin="round"
    aria-hidden="true"
    focusable="false"
  >
    <path d={PATHS[name]} />
  </svg>
)

/** Herald's mark. */
export const Mark = ({ size = 28 }: { readonly size?: number }): ReactElement => (
  <svg className="mark" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <path
      className="mark-shield"
      d="M5 3h22a2 2 0 0 1 2 2v11c0 7-5.400 11.300-13 14C8.400 27.300 3 23 3 16V5a2 2 0 0 1 2-2z"
    />
    <path className="mark-letter" d="M10.500 9v13M21.500 9v13M10.500 15.500h11" />
  </svg>
)
