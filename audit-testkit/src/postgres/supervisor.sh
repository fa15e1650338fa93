# Runs a program, as often as it is told to, and never longer than whoever tells it lives:
#     supervisor.sh FOLDER LAST_SIGNAL PROGRAM ARGUMENT…
# Words come in on stdin: `start`, or the name of a signal for the program. The end of stdin is the
# end of the asker, however it came about: the program gets LAST_SIGNAL, and FOLDER is removed.
# Answers go out on stdout: `started N PID`, and `gone N` when the program and all that it started
# have ended.
folder=$1
last_signal=$2
shift 2
# The tests may have emptied it.
PATH=${PATH:+$PATH:}/usr/bin:/bin

# Nobody reads the answers of a run that outlives its asker.
trap '' PIPE
mkfifo -m 600 "$folder/output"
n=0
server=

while read -r word; do
    if [ "$word" = start ]; then
        n=$((n + 1))
        [ -z "$server" ] || wait "$server"
        # All that the program starts has the other end of this pipe: its end is the end of all.
        (cat "$folder/output" >>"$folder/log" && echo "gone $n") &
        "$@" >"$folder/output" 2>&1 </dev/null &
        server=$!
        echo "started $n $server"
    elif [ -n "$server" ]; then
        # It was not waited for yet, so the number cannot be another process's.
        kill -s "$word" "$server"
    fi
done

if [ -n "$server" ]; then
    kill -s "$last_signal" "$server"
    # One that was stopped has to run to hear it.
    kill -s CONT "$server"
    wait
fi
rm -rf "$folder"
