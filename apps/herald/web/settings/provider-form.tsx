import { useMutation, useQueryClient } from "@tanstack/react-query"
import { type ReactElement, useState } from "react"
import { api } from "../api/api.ts"
import { ApiError } from "../api/http.ts"
import type { ProviderForm as Form, Settings } from "../api/types.ts"
import { errorTitle } from "../chat/error-note.tsx"
import { t } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { Field } from "../ui/field.tsx"
import { toast } from "../ui/toast.tsx"

/** The model service: asked for at the first start, changed later. Saving asks the model first. */
export function ProviderForm({
  settings,
  onSaved,
}: {
  readonly settings: Settings
  readonly onSaved: () => void
}): ReactElement {
  const { provider } = settings
  const client = useQueryClient()
  const [type, setType] = useState(provider.provider_type)
  const [isShown, setShown] = useState(false)
  const done = (next: Settings): void => {
    client.setQueryData(["settings"], next)
    void client.invalidateQueries({ queryKey: ["models"] })
  }
  const save = useMutation({
    mutationFn: (form: Form) => api.saveProvider(form),
    onSuccess: (next) => {
      done(next)
      onSaved()
    },
  })
  const forget = useMutation({
    mutationFn: () => api.forgetProvider(),
    onSuccess: (next) => {
      done(next)
      toast(t.setup.forgotten)
    },
  })
  const detect = useMutation({
    mutationFn: () => api.detectProvider(),
    onSuccess: (next) => {
      done(next)
      if (next.provider.configured) onSaved()
    },
  })
  const error = save.error ?? forget.error ?? detect.error
  const isSame = type === provider.provider_type
  if (provider.decided_by !== null && provider.configured) {
    return <p className="note quiet-note">{t.setup.decided(provider.decided_by)}</p>
  }
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault()
        const data = new FormData(event.currentTarget)
        const text = (name: string): string => String(data.get(name) ?? "").trim()
        const key = text("api_key")
        save.mutate({
          provider_type: type,
          model: text("model"),
          api_url: text("api_url"),
          ...(key && { api_key: key }),
        })
      }}
    >
      {provider.configured && <p className="hint">{t.setup.inUse(provider.model, provider.source_label)}</p>}
      {provider.notices.map((notice) => (
        <p key={notice} className="note quiet-note">
          {notice}
        </p>
      ))}
      <fieldset className="choices">
        <legend>{t.setup.type}</legend>
        {(["claude", "openai"] as const).map((value) => (
          <label key={value} className={type === value ? "choice chosen" : "choice"}>
            <input
              type="radio"
              name="provider_type"
              value={value}
              checked={type === value}
              onChange={() => setType(value)}
            />
            <span>
              <strong>{value === "claude" ? t.setup.claude : t.setup.openai}</strong>
              <small>{value === "claude" ? t.setup.claudeHint : t.setup.openaiHint}</small>
            </span>
          </label>
        ))}
      </fieldset>
      <Field
        label={t.setup.key}
        name="api_key"
        type={isShown ? "text" : "password"}
        hint={
          isSame && provider.has_saved
            ? t.setup.keyKeep
            : type === "claude"
              ? t.setup.keyClaude
              : t.setup.keyOpenai
        }
      >
        <Button look="quiet" aria-pressed={isShown} onClick={() => setShown(!isShown)}>
          {isShown ? t.setup.hide : t.setup.show}
        </Button>
      </Field>
      <Field
        key={`model-${type}`}
        label={t.setup.model}
        name="model"
        defaultValue={isSame && provider.configured ? provider.model : ""}
        placeholder={isSame ? provider.model : ""}
        hint={t.setup.modelHint}
      />
      <Field
        key={`url-${type}`}
        label={t.setup.url}
        name="api_url"
        type="url"
        defaultValue={isSame ? (provider.api_url ?? "") : ""}
        hint={type === "openai" ? t.setup.urlHint : t.setup.urlHintClaude}
      />
      <div role="alert">
        {error && (
          <p className="form-error">
            {error instanceof ApiError && t.errors[error.code] ? (
              <strong>{errorTitle(error.code)} </strong>
            ) : null}
            {error.message}
          </p>
        )}
        {detect.data && !detect.data.provider.configured && (
          <p className="form-error">{t.setup.nothingFound}</p>
        )}
      </div>
      <div className="form-foot">
        <Button look="primary" type="submit" disabled={save.isPending}>
          {save.isPending ? t.setup.testing : t.setup.submit}
        </Button>
        {!provider.configured && (
          <Button look="quiet" disabled={detect.isPending} onClick={() => detect.mutate()}>
            {t.setup.detect}
          </Button>
        )}
        {provider.has_saved && (
          <Button look="quiet" disabled={forget.isPending} onClick={() => forget.mutate()}>
            {t.setup.forget}
          </Button>
        )}
      </div>
    </form>
  )
}
