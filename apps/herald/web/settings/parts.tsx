import type { ComponentType } from "react"
import type { Me } from "../api/types.ts"
import { words as account } from "../i18n/en-account.ts"
import { words as devices } from "../i18n/en-devices.ts"
import { words as notifications } from "../i18n/en-notifications.ts"
import { words } from "../i18n/en-settings.ts"
import { words as shortcuts } from "../i18n/en-shortcuts.ts"
import { AboutPart } from "./about-part.tsx"
import { AccountPart } from "./account-part.tsx"
import { AppearancePart } from "./appearance-part.tsx"
import { DevicesPart } from "./devices-part.tsx"
import { DiscordPart } from "./discord-part.tsx"
import { McpPart } from "./mcp-part.tsx"
import { NotificationsPart } from "./notifications-part.tsx"
import { PeersPart } from "./peers-part.tsx"
import { ProviderPart } from "./provider-part.tsx"
import { ShortcutsPart } from "./shortcuts-part.tsx"
import { ToolsPart } from "./tools-part.tsx"
import { UpdatesPart } from "./updates-part.tsx"
import { UsagePart } from "./usage-part.tsx"

interface SettingsPart {
  /** In its address: `/settings/model`. */
  readonly name: string
  readonly label: string
  readonly Component: ComponentType
  /** Who sees it. Default: everybody. */
  readonly permission?: Me["permissions"][number]
}

/** The parts of the settings, in the order they are shown. */
export const parts: readonly SettingsPart[] = [
  { name: "model", label: words.model, Component: ProviderPart, permission: "owner" },
  { name: "discord", label: words.discord.title, Component: DiscordPart, permission: "owner" },
  { name: "tools", label: words.tools.title, Component: ToolsPart, permission: "owner" },
  { name: "mcp", label: words.mcp.title, Component: McpPart, permission: "owner" },
  { name: "peers", label: words.peers.title, Component: PeersPart, permission: "owner" },
  { name: "appearance", label: words.appearance, Component: AppearancePart },
  { name: "account", label: account.title, Component: AccountPart },
  { name: "notifications", label: notifications.title, Component: NotificationsPart },
  { name: "shortcuts", label: shortcuts.title, Component: ShortcutsPart },
  { name: "devices", label: devices.title, Component: DevicesPart },
  { name: "usage", label: words.usage.title, Component: UsagePart },
  { name: "updates", label: words.updates.title, Component: UpdatesPart, permission: "owner" },
  { name: "about", label: words.about.title, Component: AboutPart, permission: "owner" },
]
