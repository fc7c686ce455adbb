import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import type { ReactElement } from "react"
import { words } from "../i18n/en-notifications.ts"
import { type DeviceState, deviceState, sendTest, switchOff, switchOn } from "../push/device.ts"
import { Button } from "../ui/button.tsx"
import { toast } from "../ui/toast.tsx"
import { StateLine } from "./state-line.tsx"
import { Waiting } from "./waiting.tsx"

const STATE = ["push"]

/** Whether this device is told what waits. */
export function NotificationsPart(): ReactElement {
  const { data, error } = useQuery({
    queryKey: STATE,
    queryFn: ({ signal }) => deviceState(signal),
    // The permission changes elsewhere.
    refetchOnMount: "always",
  })
  return (
    <>
      <p className="muted">{words.lead}</p>
      {data ? <Device state={data} /> : <Waiting error={error} />}
      <p className="hint">{words.what}</p>
    </>
  )
}

function Device({ state }: { readonly state: DeviceState }): ReactElement {
  const client = useQueryClient()
  const again = () => client.invalidateQueries({ queryKey: STATE })
  const on = useMutation({
    mutationFn: async (key: string) => {
      const isAllowed = await switchOn(key)
      await again()
      if (!isAllowed) throw new Error(words.refused)
    },
  })
  const off = useMutation({
    mutationFn: switchOff,
    onSuccess: () => toast(words.switchedOff),
    onSettled: again,
  })
  const test = useMutation({ mutationFn: sendTest, onSuccess: () => toast(words.tested) })
  const problem = on.error ?? off.error ?? test.error
  return (
    <>
      {state.type === "on" ? (
        <>
          <StateLine look="good" label={words.on}>
            {words.onHere}
          </StateLine>
          <div className="form-foot">
            <Button disabled={test.isPending} onClick={() => test.mutate(state.id)}>
              {test.isPending ? words.testing : words.test}
            </Button>
            <Button look="quiet" disabled={off.isPending} onClick={() => off.mutate(state.id)}>
              {words.switchOff}
            </Button>
          </div>
        </>
      ) : state.type === "off" ? (
        <>
          <StateLine look="off" label={words.off}>
            {words.offHere}
          </StateLine>
          <div className="form-foot">
            <Button look="primary" disabled={on.isPending} onClick={() => on.mutate(state.key)}>
              {on.isPending ? words.switchingOn : words.switchOn}
            </Button>
          </div>
        </>
      ) : (
        <StateLine look="bad" label={words.states[state.type][0]}>
          {words.states[state.type][1]}
        </StateLine>
      )}
      <div role="alert">{problem && <p className="form-error">{problem.message}</p>}</div>
    </>
  )
}
