"""A server with the tools that the others lack: `server.py stdio|http`.

It speaks both eras, and whichever the client begins with. On HTTP it listens on `PORT`.
"""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from pathlib import Path
from typing import Annotated

import anyio
from mcp.server.mcpserver import Context, Elicit, MCPServer, Resolve
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel

server = MCPServer("audit-tests", version="1")


class Gate:
    """What one call waits for and another one sees to: no test has to guess how long."""

    def __init__(self) -> None:
        self.released = anyio.Event()
        self.cancelled = anyio.Event()


gates: defaultdict[str, Gate] = defaultdict(Gate)


@server.tool()
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@server.tool()
def fail(message: str) -> str:
    """Fails as a tool does."""
    raise ToolError(message)


@server.tool()
async def count(to: int, ctx: Context) -> str:
    """Reports progress at each number."""
    for number in range(1, to + 1):
        await ctx.report_progress(number, to, f"at {number}")
    return f"counted to {to}"


@server.tool()
async def wait(gate: str, ctx: Context) -> str:
    """Says that it waits, and then waits until it is released or cancelled."""
    await ctx.report_progress(1, 2, "waiting")
    try:
        await gates[gate].released.wait()
    except anyio.get_cancelled_exc_class():
        gates[gate].cancelled.set()
        raise
    return "released"


@server.tool()
async def release(gate: str) -> str:
    """Ends the wait."""
    gates[gate].released.set()
    return "done"


@server.tool()
async def cancelled(gate: str) -> str:
    """Returns once the wait was cancelled."""
    await gates[gate].cancelled.wait()
    return "cancelled"


@server.tool()
async def announce(ctx: Context) -> str:
    """Says that the tools have changed, though they have not."""
    await ctx.notify_tools_changed()
    return "announced"


@server.tool()
def big(length: int) -> str:
    """Returns a text of that length."""
    return "0123456789abcdef" * (length // 16)


@server.tool()
def env() -> str:
    """Returns the environment of the server."""
    return json.dumps(dict(sorted(os.environ.items())))


class Answer(BaseModel):
    """What the user says."""

    name: str


async def asked() -> Elicit[Answer]:
    return Elicit("What is your name?", Answer)


@server.tool()
async def ask(answer: Annotated[Answer, Resolve(asked)]) -> str:
    """Asks the user, in the way of the era."""
    return f"hello, {answer.name}"


def main() -> None:
    if pid_file := os.environ.get("AUDIT_TEST_PID_FILE"):
        Path(pid_file).write_text(str(os.getpid()))
    if sys.argv[1] == "stdio":
        server.run("stdio")
    else:
        server.run("streamable-http", port=int(os.environ["PORT"]))


if __name__ == "__main__":
    main()
