import { type ComponentType, type LazyExoticComponent, lazy } from "react"
import type { Me } from "../api/types.ts"
import { t } from "../i18n/index.ts"
import type { IconName } from "../ui/icons.tsx"
import type { ScreenName } from "./router.ts"

/** What every screen is given. */
export interface ScreenProps {
  /** The part of it that its address names: `/settings/model`. */
  readonly part: string | undefined
}

interface ScreenEntry {
  readonly label: string
  readonly icon: IconName
  readonly Component: LazyExoticComponent<ComponentType<ScreenProps>>
  /** Who sees it. Default: everybody. */
  readonly permission?: Me["permissions"][number]
  /** Listed above the chats. Otherwise something else leads to it. */
  readonly isListed: boolean
}

/** Each is loaded when it is first opened. */
export const screens: Readonly<Record<ScreenName, ScreenEntry>> = {
  approvals: {
    label: t.screens.approvals,
    icon: "shield",
    Component: lazy(() => import("../approvals/approvals-screen.tsx")),
    permission: "approve",
    isListed: true,
  },
  memory: {
    label: t.screens.memory,
    icon: "thought",
    Component: lazy(() => import("../memory/memory-screen.tsx")),
    isListed: true,
  },
  documents: {
    label: t.screens.documents,
    icon: "file",
    Component: lazy(() => import("../documents/documents-screen.tsx")),
    isListed: true,
  },
  agents: {
    label: t.screens.agents,
    icon: "bot",
    Component: lazy(() => import("../agents/agents-screen.tsx")),
    isListed: true,
  },
  schedules: {
    label: t.screens.schedules,
    icon: "clock",
    Component: lazy(() => import("../schedules/schedules-screen.tsx")),
    isListed: true,
  },
  activity: {
    label: t.screens.activity,
    icon: "activity",
    Component: lazy(() => import("../activity/activity-screen.tsx")),
    isListed: true,
  },
  settings: {
    label: t.screens.settings,
    icon: "settings",
    Component: lazy(() => import("../settings/settings-screen.tsx")),
    isListed: false,
  },
}

/** Whether somebody may see a screen. */
export const maySee = (me: Me, name: ScreenName): boolean => {
  const { permission } = screens[name]
  return permission === undefined || me.permissions.includes(permission)
}
