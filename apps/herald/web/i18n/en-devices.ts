/** What is said about where somebody is logged in. */
export const words = {
  title: "Devices",
  lead: "Browsers in which you are logged in. One that nobody uses for 30 days is logged out by itself.",
  list: "Your logins",
  this: "This one",
  unknown: "A browser that does not say what it is",
  of: (browser: string, system: string) => `${browser} on ${system}`,
  since: (day: string) => `Logged in: ${day}`,
  used: (day: string) => `Last used: ${day}`,
  end: "Log out",
  endOf: (device: string, day: string) => `Log out ${device}, since ${day}`,
  ended: "It is logged out.",
  none: "You came with a key and not with a login: there is none.",
  keys: "Keys",
  keysLead:
    "Programs, and browsers that log in with one. They stand in the configuration, as gateway.api_key and gateway.keys: a key that is changed there ends the logins that were made with it.",
}
