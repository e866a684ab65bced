# shellcheck shell=bash
# What a person sees while something long runs: a line when a step begins, a pulse while it lasts, its seconds when it
# ends; and when it fails, its name, the end of its output and what to do. All output is kept in .local/logs.

steps_began=$SECONDS
pulse_seconds=30

# step NAME ADVICE COMMAND… runs a program (no shell function: `set -e` would not hold in it) as one step, and ends the
# script when it fails.
step() {
  local name=$1 advice=$2 began=$SECONDS log pulse code=0
  shift 2
  mkdir -p "$state/logs"
  log=$state/logs/${name//[^a-z0-9]/-}.log
  printf '[%4ds] %s\n' $((SECONDS - steps_began)) "$name"
  show_pulse "$log" "$began" &
  pulse=$!
  "$@" >"$log" 2>&1 </dev/null || code=$?
  { kill "$pulse" && wait "$pulse"; } 2>/dev/null || true
  if [ "$code" = 0 ]; then
    printf '[%4ds]   done in %d s\n' $((SECONDS - steps_began)) $((SECONDS - began))
  else
    printf '[%4ds]   FAILED after %d s (%s); its last lines:\n' $((SECONDS - steps_began)) $((SECONDS - began)) "$log" >&2
    tail -n 25 "$log" | sed 's/^/         | /' >&2
    printf '\n%s failed. %s\n' "$name" "$advice" >&2
    exit "$code"
  fi
}

show_pulse() {
  local log=$1 began=$2
  while sleep "$pulse_seconds" >/dev/null 2>&1; do
    printf '[%4ds]   %d s so far: %s\n' $((SECONDS - steps_began)) $((SECONDS - began)) "$(tail -n 1 "$log" | cut -c -100)"
  done
}

# fail SENTENCE… ends the script with what is wrong and what to do about it.
fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# wait_until SECONDS WHAT COMMAND… asks until the command succeeds or the time is over.
wait_until() {
  local seconds=$1 what=$2 deadline=$((SECONDS + $1))
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || fail "$what: not within $seconds s"
    sleep 0.2
  done
}
