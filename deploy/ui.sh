#!/usr/bin/env bash
# Serves the Dagster interface: webserver and daemon, on this machine only, with one history.
# Ctrl-C stops both; when one of them stops, the other is stopped too. Works with bash 3.2.
set -u
cd "$(dirname "$0")/.."
port=${PORT:-3000}

stop() { echo "ui: $*" >&2; exit 2; }
[ -x .venv/bin/python ] || stop ".venv/ is missing: run \`make setup\`"

# Reports a port that is in use, not allowed, or not a port, before anything is started.
refusal=$(.venv/bin/python - "$port" 2>&1 <<'EOF'
import socket, sys
try:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", int(sys.argv[1])))
except (OSError, ValueError, OverflowError) as error:
    print(getattr(error, "strerror", None) or "not a port number")
EOF
)
[ -z "$refusal" ] || stop "port $port: $refusal; choose another with PORT=, as in \`make ui PORT=3001\`"

# The same folders as on the command line: from the environment, else from .env, else the project's own.
folders=$(.venv/bin/python -m pipelines settings --shell) || exit 2
eval "$folders"
home=$DAGSTER_HOME
mkdir -p "$home" 2>/dev/null && [ -w "$home" ] || stop "$home cannot be written: check its owner, or set DAGSTER_HOME"
[ -f "$home/dagster.yaml" ] || stop "$home contains no dagster.yaml: copy dagster_home/dagster.yaml there"
outdated=$(.venv/bin/python - "$home" <<'EOF'
import sys
from pathlib import Path
from pipelines.instance import outdated_configuration
print(outdated_configuration(Path(sys.argv[1])) or "")
EOF
) || stop "$home/dagster.yaml cannot be checked, see above"
[ -z "$outdated" ] || stop "$outdated"
export DAGSTER_DISABLE_TELEMETRY=1     # also where DAGSTER_HOME points at another instance

# One process creates a new history: two that create it at the same moment leave it permanently broken.
[ -d "$home/schedules" ] || .venv/bin/python -c 'import dagster; dagster.DagsterInstance.get().dispose()' \
  || stop "Dagster's history in $home cannot be made, see above"

# Passes on what the processes print until they are told to end: one that is still loading then prints a traceback.
loud=$(mktemp -d) || exit 2
show() { trap '' INT TERM HUP; while IFS= read -r line; do [ ! -d "$loud" ] || printf '%s\n' "$line"; done; }

# Each process in a separate process group, so that the code servers they start end with them.
set -m
.venv/bin/dagster-daemon run -w workspace.yaml > >(show) 2>&1 & daemon=$!
.venv/bin/dagster-webserver -w workspace.yaml -h 127.0.0.1 -p "$port" > >(show) 2>&1 & webserver=$!

is_running() { kill -0 "$1" 2>/dev/null; }

end_both() {
  trap - EXIT
  trap '' INT TERM HUP
  rmdir "$loud"
  local patience=100                    # tenths of a second before SIGKILL
  kill -TERM -- "-$webserver" "-$daemon" 2>/dev/null
  while [ $patience -gt 0 ] && { kill -0 -- "-$webserver" || kill -0 -- "-$daemon"; } 2>/dev/null; do
    sleep 0.1
    patience=$((patience - 1))
  done
  kill -KILL -- "-$webserver" "-$daemon" 2>/dev/null
  wait "$webserver" "$daemon" 2>/dev/null
  echo "ui: stopped"
}
trap end_both EXIT
trap 'echo; exit 0' INT TERM HUP      # ends both through the trap above

echo "ui: http://127.0.0.1:$port (ready in about ten seconds; history in $DAGSTER_HOME; Ctrl-C ends it)"
while is_running "$webserver" && is_running "$daemon"; do
  sleep 1 & wait $!                     # a trap interrupts wait at once, but not a foreground sleep
done
is_running "$webserver" || echo "ui: the webserver stopped, see above" >&2
is_running "$daemon" || echo "ui: the daemon stopped, see above" >&2
exit 1
