"""The MCP inspector's command line, a client in JavaScript: what it prints is its transcript."""

from __future__ import annotations

import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio

from calls import Call
from samples import SAMPLES
from servers import INSPECTOR
from wire import HttpWire, Scenario, StdioWire, Wire

# It always asks for the tools before it calls one.
OPENING = [Call("initialize", None, "ok"), Call("tools/list", None, "ok")]


async def inspector_listing(wire: Wire) -> list[Call]:
    await inspect(wire, "tools/list")
    return OPENING


async def inspector_call(wire: Wire) -> list[Call]:
    return await _inspector_calls(wire, "call")


async def inspector_tool_error(wire: Wire) -> list[Call]:
    return await _inspector_calls(wire, "tool_error")


async def _inspector_calls(wire: Wire, kind: str) -> list[Call]:
    sample = SAMPLES[wire.server][kind]
    arguments = [f"{name}={value}" for name, value in sample.arguments.items()]
    await inspect(wire, "tools/call", "--tool-name", sample.tool, "--tool-arg", *arguments)
    return [*OPENING, Call("tools/call", sample.tool, sample.outcome)]


async def inspect(wire: Wire, method: str, *options: str) -> None:
    with target(wire) as server:
        command = ["node", str(INSPECTOR), "--cli", *server, "--method", method, *options]
        process = await anyio.run_process(command, stderr=sys.stderr, check=False)
    wire.transcript.printouts.append(process.stdout.decode())
    wire.transcript.exits.append("clean" if process.returncode == 0 else "failed")


@contextmanager
def target(wire: Wire) -> Iterator[list[str]]:
    """How the inspector is told of a server."""
    if isinstance(wire, HttpWire):
        yield [wire.url, "--transport", "http"]
        return
    assert isinstance(wire, StdioWire)
    # It takes the options of a server's command for its own, so it is given one without any.
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "server")
        script.write_text(f"#!/bin/sh\nexec {shlex.join(wire.command)}\n")
        script.chmod(0o755)
        yield [str(script)]


INSPECTOR_SCENARIOS: dict[str, Scenario] = {
    scenario.__name__: scenario
    for scenario in (inspector_call, inspector_listing, inspector_tool_error)
}
