"""Runs a server on HTTP: `serve.py SERVER`.

Prints its URL once it listens, and ends it when its own input ends, so that it cannot outlive
whoever started this.
"""

from __future__ import annotations

import socket
import subprocess
import sys

from servers import http_command, server_environment

# Both say so on stderr, in words of their own.
LISTENS = (b"Uvicorn running on", b"listening on port")


def main() -> None:
    port = free_port()
    process = subprocess.Popen(
        http_command(sys.argv[1]),
        env=server_environment() | {"PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if any(words in line for words in LISTENS):
            break
        sys.stderr.buffer.write(line)
    else:
        sys.exit(f"{sys.argv[1]} does not start")
    print(f"http://127.0.0.1:{port}/mcp", flush=True)
    # A pipe that nobody reads would stop it once the pipe is full.
    rest = subprocess.Popen(["cat"], stdin=process.stderr, stdout=sys.stderr)
    sys.stdin.read()
    process.kill()
    process.wait()
    rest.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
