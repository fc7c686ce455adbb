// Loaded before anything is painted, so that the page never shows the wrong theme first.
try {
  const theme = localStorage.getItem("plan-engine.theme")
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme
} catch {
  // Storage is switched off: the system's theme it is.
}
