import { MemoryStore, type SessionStore } from "@orra/core"
import type { Environment } from "../server/config/expand.ts"
import type { LoadedConfig } from "../server/config/load.ts"
import { existingStore } from "../server/data/store.ts"
import { systemKeychain } from "../server/provider/keychain.ts"
import { ProviderService } from "../server/provider/service.ts"
import { openVault } from "../server/provider/vault.ts"
import { LiveConfig } from "../server/settings/live.ts"
import { SavedSettings } from "../server/settings/saved.ts"

interface Effective {
  readonly live: LiveConfig
  /** The model service; nobody is asked anything. */
  readonly service: ProviderService
  /** What is kept, or an empty one where nothing is yet. */
  readonly store: SessionStore
}

/** Looks at what is in effect with what the page saved, while Herald runs or not. Without data none is made. */
export async function withEffective<T>(
  fromFile: LoadedConfig,
  env: Environment,
  look: (effective: Effective) => Promise<T>,
): Promise<T> {
  const disk = await existingStore(fromFile)
  const store = disk ?? new MemoryStore()
  try {
    const keeping = {
      records: store.records("settings"),
      vault: openVault(fromFile.dataDir, systemKeychain(env)),
      hide: () => {},
    }
    const live = new LiveConfig(fromFile, await SavedSettings.open(keeping))
    const service = await ProviderService.start({ ...keeping, loaded: live.loaded, env })
    return await look({ live, service, store })
  } finally {
    await disk?.close()
  }
}
