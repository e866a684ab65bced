# shellcheck shell=bash
# What a run of tests starts, it stops again, and nothing else. Who starts something notes it at that moment, in the file that
# the run names: a look at what runs before it begins would miss what cannot be seen yet, such as a cluster before its engine.
# One more: a script with `stop`, which calls note_start with its name where it starts what did not run.

# note_start SCRIPT is for the run that called, if one did.
note_start() {
  [ -z "${STARTED:-}" ] || echo "$root/local/$1" >>"$STARTED"
}

# begin_run names the file for everything that is called from here on.
begin_run() {
  STARTED=$(mktemp)
  export STARTED
}

was_started() {
  grep -qxF "$root/local/$1" "$STARTED"
}

# end_run stops what was started since begin_run, the last first.
end_run() {
  local script
  while read -r script; do
    "$script" stop </dev/null
  done < <(tac "$STARTED")
  rm -f "$STARTED"
}
