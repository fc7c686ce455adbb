/** What dictation, reading aloud and pictures say. */
export const words = {
  dictate: "Dictate",
  stopDictating: "Stop dictating",
  writing: "Writing it down…",
  listening: "Listening",
  noMicrophone: "The microphone cannot be used: allow it for this page in the browser.",
  notSecure: "Browsers give the microphone to pages over HTTPS or on this machine only.",
  nothingHeard: "Nothing was heard.",
  read: "Read aloud",
  stopReading: "Stop reading",
  loading: "The voice is on its way…",
  notPlayable: "What the voice sent cannot be played by this browser.",
  open: "Open the picture",
  download: "Download the picture",
  picture: "Picture",
}
