// Loaded before anything is painted, so that the page never shows the wrong theme or size first.
try {
  const theme = localStorage.getItem("herald.theme")
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme
  const text = localStorage.getItem("herald.text")
  if (text) document.documentElement.dataset.text = text
} catch {
  // Storage is switched off: the system's theme it is.
}
