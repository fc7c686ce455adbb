# Promises: `. ./scripts/env.sh` gives this shell the same node and pnpm that `npm start` and `npm test` use.
orra_path=$(node "$(git rev-parse --show-toplevel)/scripts/bootstrap.mjs") && {
  export PATH="$orra_path:$PATH" DO_NOT_TRACK=1 TURBO_TELEMETRY_DISABLED=1
  hash -r
}
unset orra_path
