"""Writes down what a process is sent and what it answers, line by line as bytes."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio
import mcp.client.stdio
from anyio.abc import ByteReceiveStream, ByteSendStream, Process

from transcript import Sender, Transcript


@contextmanager
def recording_stdio_client(transcript: Transcript) -> Iterator[None]:
    """Lets `mcp.client.stdio` start processes that are recorded, and changes nothing else in it.

    Its own streams are too late: there a message is parsed already.
    """
    start = mcp.client.stdio._create_platform_compatible_process
    started: list[Process] = []

    async def recorded(*arguments: Any, **options: Any) -> Process:
        process = await start(*arguments, **options)
        assert isinstance(process, Process)
        started.append(process)
        return _record(process, transcript)

    mcp.client.stdio._create_platform_compatible_process = recorded
    try:
        yield
    finally:
        mcp.client.stdio._create_platform_compatible_process = start
        for process in started:
            transcript.exits.append(_ending(process))


@asynccontextmanager
async def recorded_process(
    transcript: Transcript, command: Sequence[str], environment: Mapping[str, str]
) -> AsyncIterator[Process]:
    """Starts a process and reads what it writes; closes its input in the end and waits for it."""
    process = _record(
        await anyio.open_process(command, env=environment, stderr=sys.stderr), transcript
    )
    assert process.stdin is not None and process.stdout is not None
    async with process, anyio.create_task_group() as readers:
        readers.start_soon(_read_to_end, process.stdout)
        yield process
        await process.stdin.aclose()
        await process.wait()
    transcript.exits.append(_ending(process))


async def _read_to_end(stream: ByteReceiveStream) -> None:
    async for _ in stream:
        pass


def _record(process: Any, transcript: Transcript) -> Process:
    # The streams of a process are for nobody to replace, so this reaches behind the properties.
    process._stdin = _RecordedInput(process._stdin, transcript)
    process._stdout = _RecordedOutput(process._stdout, transcript)
    assert isinstance(process, Process)
    return process


def _ending(process: Process) -> str:
    return "clean" if process.returncode == 0 else "failed"


class _Lines:
    """Cuts chunks into lines, wherever the chunks end."""

    def __init__(self, sender: Sender, transcript: Transcript) -> None:
        self._sender = sender
        self._transcript = transcript
        self._begun = b""

    def add(self, chunk: bytes) -> None:
        *lines, self._begun = (self._begun + chunk).split(b"\n")
        for line in lines:
            self._transcript.line(self._sender, line.decode())


class _RecordedInput(ByteSendStream):
    def __init__(self, stream: ByteSendStream, transcript: Transcript) -> None:
        self._stream = stream
        self._transcript = transcript
        self._lines = _Lines("client", transcript)

    async def send(self, item: bytes) -> None:
        await self._transcript.greeted()
        self._lines.add(item)
        await self._stream.send(item)

    async def aclose(self) -> None:
        await self._stream.aclose()


class _RecordedOutput(ByteReceiveStream):
    def __init__(self, stream: ByteReceiveStream, transcript: Transcript) -> None:
        self._stream = stream
        self._lines = _Lines("server", transcript)

    async def receive(self, max_bytes: int = 65536) -> bytes:
        chunk = await self._stream.receive(max_bytes)
        self._lines.add(chunk)
        return chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
