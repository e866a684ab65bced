# shellcheck shell=bash
# Counting: a lane is a function, and what it checks is counted, named and timed. For local/test and local/prove.
# The caller sets `lanes` and `logs` and calls, in this order: want_lanes, begin, run_lane for each, finish, report.

passed=0 failed=0 failures=() durations=()

# want_lanes LANE… refuses a name that is none: nothing would be checked, and nothing would fail.
want_lanes() {
  local lane
  for lane in "$@"; do
    [[ " ${lanes[*]} " == *" $lane "* ]] || fail "There is no lane '$lane'. Lanes: ${lanes[*]}."
  done
}

begin() {
  cd "$root"
  mkdir -p "$logs"
  begin_run
  trap finish EXIT
}

run_lane() {
  local lane=$1 began=$SECONDS
  printf '\n== %s\n' "$lane"
  "$lane" || true # its failures are counted
  durations+=("$(printf '%-8s %4s min' "$lane" "$(minutes $((SECONDS - began)))")")
}

minutes() {
  awk -v seconds="$1" 'BEGIN { printf "%.1f", seconds / 60 }'
}

# finish stops what was started, after a look at the cluster where something failed.
finish() {
  trap - EXIT
  [ "$failed" = 0 ] || ! was_started cluster || keep_evidence
  end_run >"$logs/end.log" 2>&1 || cat "$logs/end.log"
}

# report prints the minutes of each lane, and what failed with the last that it said; its last line counts.
report() {
  printf '\n'
  printf '%s\n' "${durations[@]}"
  [ ${#failures[@]} = 0 ] || printf 'failed: %s\n' "${failures[@]}"
  printf '%d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" = 0 ]
}

# check CLAIM COMMAND… counts one. A function as command must chain with &&: `set -e` does not hold in a condition.
check() {
  local claim=$1 began=$SECONDS log
  log=$(log_of "$claim")
  shift
  if with_pulse "$log" "$@"; then
    passed=$((passed + 1))
    printf 'ok      %s (%d s)\n' "$claim" $((SECONDS - began))
  else
    failed=$((failed + 1))
    failures+=("$claim: $(tail -n 1 "$log")")
    printf 'FAILED  %s (%d s; %s)\n' "$claim" $((SECONDS - began)) "$log"
    tail -n 40 "$log" | sed 's/^/        | /'
    return 1
  fi
}

# cargo_tests ARGUMENT… counts each test of cargo's own; what does not compile is one that failed, and so is a run of none. What
# they said is in the file `tests_log`.
cargo_tests() {
  local claim="cargo test $*" began=$SECONDS log code=0 good bad
  log=$(log_of "$claim")
  tests_log=$log
  with_pulse "$log" cargo test --locked --no-fail-fast "$@" || code=$?
  read -r good bad < <(awk '/^test result:/ { good += $4; bad += $6 } END { print good + 0, bad + 0 }' "$log")
  if [ "$code" = 0 ] && [ "$good" = 0 ]; then
    echo "error: no test is called so" >>"$log"
    code=1
  fi
  if [ "$code" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
  passed=$((passed + good))
  failed=$((failed + bad))
  if [ "$bad" = 0 ]; then
    printf 'ok      %s: %d passed (%d s)\n' "$claim" "$good" $((SECONDS - began))
  else
    failures+=("$claim: $bad")
    printf 'FAILED  %s: %d passed, %d failed (%d s; %s)\n' "$claim" "$good" "$bad" $((SECONDS - began)) "$log"
    { grep -E '^error|^test .* FAILED$|panicked at' -A 6 "$log" || true; } | tail -n 60 | sed 's/^/        | /'
    return 1
  fi
}

log_of() {
  printf '%s/%s.log' "$logs" "$(tr -cs 'a-z0-9\n' '-' <<<"${1,,}" | cut -c -80)"
}

with_pulse() {
  local log=$1 pulse code=0
  shift
  steps_began=$SECONDS show_pulse "$log" "$SECONDS" &
  pulse=$!
  ("$@") >"$log" 2>&1 </dev/null || code=$?
  { kill "$pulse" && wait "$pulse"; } 2>/dev/null || true
  return "$code"
}
