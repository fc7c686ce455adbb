import type { ComponentType } from "react"
import type { Me } from "../api/types.ts"
import { words } from "../i18n/en-settings.ts"
import { AppearancePart } from "./appearance-part.tsx"
import { ProviderPart } from "./provider-part.tsx"

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
  { name: "appearance", label: words.appearance, Component: AppearancePart },
]
