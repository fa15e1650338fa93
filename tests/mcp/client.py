"""Plays one scenario against one server and prints what was seen, one JSON object a line.

    client.py SCENARIO SERVER ERA stdio [PREFIX…]
    client.py SCENARIO SERVER ERA http URL

A prefix is put before the server's own command: nothing, or a proxy that starts it. The last line
says what the store of such a proxy has to hold: `{"expected": [call, …]}`.
"""

from __future__ import annotations

import sys

import anyio

from calls import expected
from inspector import INSPECTOR_SCENARIOS
from raw import RAW
from scenarios import SCENARIOS
from servers import stdio_command
from wire import HttpWire, StdioWire, Wire

ALL = SCENARIOS | INSPECTOR_SCENARIOS | RAW

# As `mcp.Client` names them: the handshake, the revision without one, and a probe for which it is.
ERAS = {"auto": "auto", "legacy": "legacy", "modern": "2026-07-28"}

# A scenario that takes so many seconds waits for something that does not come.
LONGEST = 60


def main() -> None:
    # A prefix has options of its own, so nothing here may look for options.
    scenario, server, era, way, *rest = sys.argv[1:]
    if way == "http":
        [url] = rest
        wire: Wire = HttpWire(server, ERAS[era], url)
    else:
        wire = StdioWire(server, ERAS[era], [*rest, *stdio_command(server)])
    anyio.run(play, scenario, wire)


async def play(name: str, wire: Wire) -> None:
    try:
        with anyio.fail_after(LONGEST):
            calls = await ALL[name](wire)
    finally:
        for line in wire.transcript.printed():
            print(line)
    print(expected(calls))


if __name__ == "__main__":
    main()
