const messages = document.querySelector("#messages")
const form = document.querySelector("#form")
const text = document.querySelector("#text")
const customer = document.querySelector("#customer")
const send = form.querySelector("button")

form.addEventListener("submit", async (event) => {
  event.preventDefault()
  const said = text.value
  text.value = ""
  send.disabled = true
  add("p", "said customer", said)
  const steps = add("ul", "steps")
  try {
    await ask({ customer: customer.value, text: said }, (told) => show(told, steps))
  } catch {
    add("p", "said shop", "The shop cannot be reached.")
  } finally {
    send.disabled = false
    text.focus()
  }
})

function show(told, steps) {
  if (told.type === "plan") {
    for (const { id, service } of told.steps) {
      const step = add("li", "", service, steps)
      step.dataset.id = id
    }
  } else if (told.type === "step") {
    const step = [...steps.children].find(({ dataset }) => dataset.id === told.id)
    if (step) step.dataset.state = told.state
  } else add("p", "said shop", told.text)
}

/** Sends a message, and tells each line of the answer as it comes. */
async function ask(message, onTold) {
  const response = await fetch("/messages", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(message),
  })
  if (!response.ok) throw new Error(await response.text())
  let rest = ""
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    const lines = (rest + value).split("\n")
    rest = lines.pop()
    for (const line of lines) onTold(JSON.parse(line))
  }
}

function add(name, className, content = "", parent = messages) {
  const element = document.createElement(name)
  element.className = className
  element.textContent = content
  parent.append(element)
  messages.scrollTop = messages.scrollHeight
  return element
}
