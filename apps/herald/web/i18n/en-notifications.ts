/** What is said about notifications on a device. */
export const words = {
  title: "Notifications",
  lead: "Herald tells you on this device when a call or a question waits for you, and when there is something to read of a scheduled job. Each device is switched on separately.",
  what: "They name the tool, the assistant or the job, and nothing that was said. They come through the push service of your browser's maker, encrypted for this browser alone, and end when it is logged out.",
  on: "On",
  onHere: "This device shows them.",
  off: "Off",
  offHere: "This device shows none.",
  switchOn: "Switch on",
  switchingOn: "Switching on…",
  switchOff: "Switch off",
  switchedOff: "Notifications are off on this device.",
  test: "Send one to try",
  testing: "Sending…",
  tested: "It is on its way.",
  refused: "This browser has not allowed it, so they stay off.",
  states: {
    unsupported: ["Not in this browser", "It knows no notifications from a page: use another one."],
    insecure: [
      "Not without https",
      "Browsers allow it only to pages with https, and to those on this machine: open Herald by its https address.",
    ],
    "not-installed": [
      "Install Herald first",
      "On iPhone and iPad: Share, then Add to Home Screen. Open Herald from there and come back to this place.",
    ],
    "not-here": ["Switched off", "This Herald sends none: push.enabled is false in its configuration."],
    blocked: [
      "Blocked",
      "This browser blocks them. Allow notifications for this page in the browser's settings, then load it again.",
    ],
  },
} as const
