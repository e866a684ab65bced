# shellcheck shell=bash
# Processes that outlive the script that starts them: each has a pid file and a log in .local/daemons. What another
# person or the system started is never touched.

daemons=$state/daemons

# start_daemon NAME COMMAND… does nothing where it runs already.
start_daemon() {
  local name=$1
  shift
  ! daemon_runs "$name" || return 0
  mkdir -p "$daemons"
  setsid "$@" >"$daemons/$name.log" 2>&1 </dev/null &
  echo $! >"$daemons/$name.pid"
  # A process id may be given anew after a reboot; the start time tells the two apart.
  started_at $! >"$daemons/$name.started"
}

daemon_runs() {
  local pid
  pid=$(cat "$daemons/$1.pid" 2>/dev/null) || return 1
  kill -0 "$pid" 2>/dev/null && [ "$(started_at "$pid")" = "$(cat "$daemons/$1.started")" ]
}

started_at() {
  ps -o lstart= -p "$1" || true
}

# stop_daemon NAME [SIGNAL] asks it to end, and makes it after 30 s.
stop_daemon() {
  local name=$1 signal=${2:-TERM} pid deadline=$((SECONDS + 30))
  if daemon_runs "$name"; then
    pid=$(cat "$daemons/$name.pid")
    kill -s "$signal" "$pid"
    while daemon_runs "$name"; do
      [ "$SECONDS" -lt "$deadline" ] || kill -s KILL "$pid" 2>/dev/null || true
      sleep 0.1
    done
  fi
  rm -f "$daemons/$name.pid" "$daemons/$name.started"
}

# await_daemon SECONDS NAME COMMAND… waits until the command succeeds, and says the end of the log where it does not. What
# answers when the daemon has ended is another's, and does not count.
await_daemon() {
  local seconds=$1 name=$2 deadline=$((SECONDS + $1))
  shift 2
  until "$@" >/dev/null 2>&1 && daemon_runs "$name"; do
    if [ "$SECONDS" -ge "$deadline" ] || ! daemon_runs "$name"; then
      tail -n 20 "$daemons/$name.log" >&2
      fail "$name does not answer; the lines above are the end of $daemons/$name.log"
    fi
    sleep 0.1
  done
}
