import { useMutation } from "@tanstack/react-query"
import type { ReactElement } from "react"
import { words } from "../i18n/en-activity.ts"
import { formatNumber } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { Icon } from "../ui/icons.tsx"
import { activityApi, exportPath, type Filters } from "./activity-api.ts"

/** Takes what is chosen along, and tells whether all of the audit is as it was written. */
export function Checks({
  filters,
  mayVerify,
}: {
  readonly filters: Filters
  readonly mayVerify: boolean
}): ReactElement {
  const verify = useMutation({ mutationFn: activityApi.verify })
  const { data } = verify
  return (
    <div className="activity-checks">
      <a className="button" href={exportPath(filters)} download>
        <Icon name="download" size={18} />
        {words.export}
      </a>
      {mayVerify && (
        <Button disabled={verify.isPending} onClick={() => verify.mutate()}>
          <Icon name="shield" size={18} />
          {verify.isPending ? words.verifying : words.verify}
        </Button>
      )}
      <div role="status">
        {data && (
          <p className="activity-verified">
            <Icon name="check" size={18} />
            {data.links === 0
              ? words.nothingToVerify
              : words.verified(formatNumber(data.links), formatNumber(data.chains))}
          </p>
        )}
      </div>
      <div role="alert">{verify.error && <p className="form-error">{verify.error.message}</p>}</div>
    </div>
  )
}
