#!/bin/bash
# The public image's contract, as far as tests use it: POSTGRES_USER, POSTGRES_PASSWORD and
# POSTGRES_DB; options as arguments; trust on the socket, a password over TCP; the server is ready
# once on stdout (while it is set up) and once more on stderr (for good), which is what
# testcontainers waits for.
set -euo pipefail
user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }

mkdir -p "$PGDATA" /var/run/postgresql
chown -R postgres "$PGDATA" /var/run/postgresql

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    password=$(mktemp)
    echo "${POSTGRES_PASSWORD:?POSTGRES_PASSWORD must be set}" >"$password"
    chown postgres "$password"
    as_postgres initdb -D "$PGDATA" -U "$user" --pwfile="$password" --encoding=UTF8 \
        --auth-local=trust --auth-host=scram-sha-256 >/dev/null
    rm "$password"
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    as_postgres pg_ctl -D "$PGDATA" -w -o "-c listen_addresses=''" start
    [ "$database" = postgres ] || as_postgres createdb -U "$user" "$database"
    as_postgres pg_ctl -D "$PGDATA" -w -m fast stop
fi

# Options alone are the server's.
case "${1:-}" in "" | -*) set -- postgres "$@" ;; esac
exec setpriv --reuid=postgres --regid=postgres --init-groups "$@" -D "$PGDATA" -c listen_addresses='*'
