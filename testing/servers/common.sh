# What the scripts of the test servers share. Sourced by bash, with `directory`
# (where the server's files are) and a function `stop` set by then.
# shellcheck shell=bash disable=SC2154

die() {
  echo "testing/servers/${0##*/}: $*" >&2
  exit 1
}

# need TOOL...: ends the script when one is not there.
need() {
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null ||
      die "$tool is missing: scripts/test installs what the tests need" \
        "(group test of scripts/packages.txt)"
  done
}

# kill_daemon NAME: ends the one whose number is in run/NAME.pid.
kill_daemon() {
  local file="$directory/run/$1.pid" pid
  [ -s "$file" ] || return 0
  pid=$(cat "$file")
  # A number may have become another program's.
  if grep -qs -e "$directory/" "/proc/$pid/cmdline"; then
    kill -KILL "$pid" 2>/dev/null || true
    while [ -e "/proc/$pid" ] && ! grep -qs '^State:.Z' "/proc/$pid/status"; do
      sleep 0.05
    done
  fi
  rm -f "$file"
}

# wait_for SECONDS WHAT COMMAND...: until the command succeeds.
wait_for() {
  local tries=$(($1 * 10)) what=$2
  shift 2
  until "$@" >"$directory/wait.log" 2>&1; do
    tries=$((tries - 1))
    if [ "$tries" -le 0 ]; then
      cat "$directory/wait.log" >&2
      tail -n 20 "$directory"/log/* >&2 || true
      stop
      die "$what does not answer"
    fi
    sleep 0.1
  done
}

free_ports() {
  python3 - "$1" <<'PYTHON'
import socket, sys
sockets = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in sockets:
    s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in sockets))
PYTHON
}

# The server's own certificate, which a client trusts by name of the file.
make_certificate() {
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 \
    -addext subjectAltName=IP:127.0.0.1 -keyout "$directory/key.pem" \
    -out "$directory/certificate.pem" 2>"$directory/openssl.log"
  cat "$directory/key.pem" "$directory/certificate.pem" \
    >"$directory/server.pem"
}
