/** What the settings say. */
export const words = {
  parts: "Parts of the settings",
  model: "Model service",
  appearance: "Appearance",
  thisDevice: "Kept on this device.",
}
