import type { ReactElement } from "react"
import { t } from "../i18n/index.ts"
import { Button } from "./button.tsx"

interface Ending {
  /** What the button says that sends the form. */
  readonly label: string
  readonly look?: "primary" | "danger"
  readonly isOff?: boolean
  readonly onCancel: () => void
}

/** The two buttons that a form ends with. */
export const SendOrCancel = ({ label, look = "primary", isOff, onCancel }: Ending): ReactElement => (
  <>
    <Button look={look} type="submit" disabled={isOff}>
      {label}
    </Button>
    <Button look="quiet" onClick={onCancel}>
      {t.cancel}
    </Button>
  </>
)

/** What went wrong, and below it the two buttons. */
export const FormFoot = ({
  problem,
  ...ending
}: Ending & { readonly problem: string | undefined }): ReactElement => (
  <>
    <div role="alert">{problem !== undefined && <p className="form-error">{problem}</p>}</div>
    <div className="form-foot">
      <SendOrCancel {...ending} />
    </div>
  </>
)
