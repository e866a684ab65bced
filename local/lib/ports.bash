# shellcheck shell=bash
# Who listens on this machine, and where there is room.

# Somebody who is too busy to answer has it nevertheless.
port_is_taken() {
  local code=0
  timeout 2 bash -c "exec 3<>/dev/tcp/127.0.0.1/$1" 2>/dev/null || code=$?
  [ "$code" = 0 ] || [ "$code" = 124 ]
}

# free_port FIRST prints the first port from there on that nobody has.
free_port() {
  local port=$1
  while port_is_taken "$port"; do port=$((port + 1)); done
  echo "$port"
}

# free_shift PORT… prints by how much all of them must be raised together so that each is free: 0 where nobody is in the way.
free_shift() {
  local shift port
  for shift in $(seq 0 100 900); do
    for port in "$@"; do ! port_is_taken $((port + shift)) || continue 2; done
    echo "$shift"
    return
  done
  fail "No ten places are free for the ports $*: $(listener "$1") has the first."
}

# listener PORT says who has it, as far as this user may see.
listener() {
  local container process
  container=$(timeout 10 docker ps --filter "publish=$1" --format '{{.Names}}' 2>/dev/null | head -n 1) || true
  process=$(listening_process "$1") || true
  if [ -n "$container" ]; then echo "the container $container"; else echo "${process:-a process of another user}"; fi
}

# listening_process PORT prints its name and process id, from the kernel's own tables where there are some: a bare machine has
# no tool for it.
listening_process() {
  local socket pid
  if [ -r /proc/net/tcp ]; then
    socket=$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
      awk -v port="$(printf ':%04X' "$1")" '$4 == "0A" && substr($2, length($2) - 4) == port { print $10; exit }')
    [ -n "$socket" ] || return 1
    pid=$(find /proc/[0-9]*/fd -lname "socket:\[$socket\]" 2>/dev/null | head -n 1 | cut -d / -f 3)
  else
    pid=$(lsof -nP -t "-iTCP:$1" -sTCP:LISTEN | head -n 1)
  fi
  [ -n "$pid" ] && printf '%s (process %s)' "$(ps -o comm= -p "$pid")" "$pid"
}
