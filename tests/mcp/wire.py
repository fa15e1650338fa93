"""The two ways to a server, and who may speak on them: a client that others wrote, or raw text."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx2
from anyio.abc import Process
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import Implementation

from calls import Call
from record_http import RecordedTransport
from record_stdio import recorded_process, recording_stdio_client
from servers import server_environment
from transcript import Transcript

# Plays on a wire and returns what the store of a proxy has to hold then.
Scenario = Callable[["Wire"], Awaitable[list[Call]]]

# Stands in a transcript, so it is no version of anything.
CLIENT = Implementation(name="audit-tests", version="1")

# What a server says on its own once a session has begun.
GREETINGS = {"everything": "notifications/tools/list_changed"}


class Wire(ABC):
    """A way to one server, and the transcript of what passes on it."""

    def __init__(self, server: str, era: str) -> None:
        self.server = server
        self.era = era
        self.transcript = Transcript(GREETINGS.get(server))

    def client(self, *, stays_connected: bool = True, **options: Any) -> Client:
        """A client on this wire; the options are those of `mcp.Client`.

        One that does not stay connected has no server left at its end to say good-bye to.
        """
        # An answer from a cache would be a call that nobody on the way could see.
        return Client(
            self.transport(says_goodbye=stays_connected),
            mode=self.era,
            client_info=CLIENT,
            cache=None,
            **options,
        )

    @abstractmethod
    def transport(self, *, says_goodbye: bool) -> AbstractAsyncContextManager[Any]: ...


class StdioWire(Wire):
    """A server that is started for the scenario and spoken to by pipe."""

    def __init__(self, server: str, era: str, command: list[str]) -> None:
        super().__init__(server, era)
        self.command = command

    @asynccontextmanager
    async def transport(self, *, says_goodbye: bool) -> AsyncIterator[Any]:
        parameters = StdioServerParameters(
            command=self.command[0], args=self.command[1:], env=server_environment()
        )
        with recording_stdio_client(self.transcript):
            async with stdio_client(parameters) as streams:
                yield streams

    @asynccontextmanager
    async def process(self) -> AsyncIterator[Process]:
        """The pipe itself, for what no client would send."""
        environment = server_environment()
        async with recorded_process(self.transcript, self.command, environment) as process:
            yield process


class HttpWire(Wire):
    """A server that listens already."""

    def __init__(self, server: str, era: str, url: str) -> None:
        super().__init__(server, era)
        self.url = url

    @asynccontextmanager
    async def transport(self, *, says_goodbye: bool) -> AsyncIterator[Any]:
        async with (
            self._http(listens=True) as http,
            streamable_http_client(
                self.url,
                http_client=http,
                terminate_on_close=says_goodbye,
                max_sse_event_size=None,
            ) as streams,
        ):
            yield streams

    def http(self) -> httpx2.AsyncClient:
        """The HTTP client itself, for what no MCP client would send."""
        return self._http(listens=False)

    def _http(self, *, listens: bool) -> httpx2.AsyncClient:
        recorded = RecordedTransport(self.transcript, listens=listens)
        # A scenario that hangs is ended by whoever started it, not by a guess here.
        return httpx2.AsyncClient(transport=recorded, timeout=None)
