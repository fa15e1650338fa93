"""The servers that others wrote, and ours: how each is started."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mcp.client.stdio import get_default_environment

HERE = Path(__file__).resolve().parent
# The virtual environment that runs this, and what npm installed beside it.
INSTALLED = Path(sys.prefix).parent
MODULES = INSTALLED / "node_modules" / "@modelcontextprotocol"
EVERYTHING = MODULES / "server-everything" / "dist" / "index.js"
# What a server is told through its environment; see `server.py`.
PASSED_ON = ("AUDIT_TEST_MARKER", "AUDIT_TEST_PID_FILE")
INSPECTOR = MODULES / "inspector" / "cli" / "build" / "cli.js"


def server_environment() -> dict[str, str]:
    """What a server finds in its environment, and nothing of the machine beside it."""
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return get_default_environment() | passed_on


def stdio_command(server: str) -> list[str]:
    """The command of a server on stdio."""
    return {
        "everything": ["node", str(EVERYTHING), "stdio"],
        "own": [sys.executable, str(HERE / "server.py"), "stdio"],
        "time": [sys.executable, "-m", "mcp_server_time", "--local-timezone", "UTC"],
    }[server]


def http_command(server: str) -> list[str]:
    """The command of a server that listens on the port that `PORT` names."""
    return {
        "everything": ["node", str(EVERYTHING), "streamableHttp"],
        "own": [sys.executable, str(HERE / "server.py"), "http"],
    }[server]
