# The first process of the container: the server, for as long as somebody holds the lease. Its end
# is the end of all processes in the container, which Docker then removes.
docker-entrypoint.sh postgres "$@" &
server=$!
sql() { psql --username=postgres --no-psqlrc --quiet --tuples-only --no-align --command="$1" 2>/dev/null; }

# Whoever started the container takes the lease as soon as the server is ready, and then writes so
# where it stays: a short-lived holder may be gone before this looks. If none comes within two
# minutes of the container's start, it was killed in between.
leased="SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'postgres'"
until [ "$(sql "$leased")" = leased ]; do
    kill -0 "$server" && [ "$SECONDS" -lt 120 ] || exit 1
    sleep 0.2
done

# Granted when the holder's connection is gone, and refused when the server is.
sql 'SELECT pg_advisory_lock(5219)'
