"""What came over the wire, written down so that two runs can be compared byte by byte."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import anyio

Json = Any

Sender = Literal["client", "server"]

# What differs between any two runs. Everything else has to be equal.
_UUID = re.compile(r"\b[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\b")
_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?([+-]\d\d:\d\d|Z)?")
_STATE = re.compile(r'(?<="requestState":")[^"]+')
_PORT = re.compile(r"(\bPORT\W{1,9})\d+")
_ADDRESS = re.compile(r"\b(127\.0\.0\.1|localhost):\d+\b")

# A longer text is printed as its beginning, its length and its digest.
_LONGEST = 64 * 1024

# They belong to one connection, and a proxy has two (RFC 9110, section 7.6.1); a date is a time.
_NOT_COMPARED = {"connection", "date", "keep-alive", "transfer-encoding"}


@dataclass
class Exchange:
    """One HTTP request and what came back."""

    method: str
    path: str
    request_headers: dict[str, str]
    request_body: str
    status: int | None = None
    response_headers: dict[str, str] = field(default_factory=dict)
    response_body: bytes = b""
    # `whole`: to its end; `left`: the client went first; `cut`: it broke off; a name: no answer.
    end: str = "open"


class Transcript:
    """Lines of a server on stdio, or exchanges with a server on HTTP."""

    def __init__(self, greeting: str | None = None) -> None:
        # What the server says on its own once a session has begun.
        self._greeting = greeting
        self.lines: list[tuple[Sender, str]] = []
        self.exchanges: list[Exchange] = []
        # How the processes ended that were started, and what they printed.
        self.exits: list[str] = []
        self.printouts: list[str] = []
        self._changed = anyio.Event()

    def line(self, sender: Sender, line: str) -> None:
        self.lines.append((sender, line))
        self.wake()

    def wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    async def until(self, condition: Callable[[Transcript], bool]) -> None:
        """Waits until the condition holds; it is looked at after each thing that happens."""
        while not condition(self):
            await self._changed.wait()

    async def until_seen(self, text: str, times: int) -> None:
        await self.until(lambda it: it.seen(text) == times)

    async def greeted(self) -> None:
        """Waits, in a session that has begun, until the server has said what it begins with.

        It says it whenever it likes. Before or after the answer to the next request is all the
        same to a client, but the two make two transcripts.
        """
        if self._greeting is None or not self.sent('"notifications/initialized"'):
            return
        greeting = self._greeting
        await self.until(lambda it: it.seen(greeting) > 0)

    def seen(self, text: str) -> int:
        """How often the client has received this text."""
        received = (line for sender, line in self.lines if sender == "server")
        bodies = (exchange.response_body.decode() for exchange in self.exchanges)
        return sum(part.count(text) for part in (*received, *bodies))

    def is_settled(self) -> bool:
        """Whether each request has been answered or given up."""
        if self.exchanges:
            return all(it.end != "open" for it in self.exchanges if it.method == "POST")
        asked = set(self._ids("client", with_method=True))
        ended = set(self._ids("server", with_method=False))
        given_up = {id for id in asked if self.sent(f'"requestId":{json.dumps(id)}')}
        return asked <= ended | given_up

    def _ids(self, by: Sender, *, with_method: bool) -> Iterator[str | int]:
        messages = (json.loads(line) for sender, line in self.lines if sender == by)
        return (it["id"] for it in messages if "id" in it and ("method" in it) == with_method)

    def sent(self, text: str) -> int:
        """How often the client has sent this text."""
        lines = (line for sender, line in self.lines if sender == "client")
        bodies = (exchange.request_body for exchange in self.exchanges)
        return sum(part.count(text) for part in (*lines, *bodies))

    def printed(self) -> Iterator[str]:
        """The normalised transcript, one JSON object a line.

        What the two sides of a pipe wrote is printed apart, since only the order on each side is
        theirs; streams that a server keeps open beside its answers come after these, for the same
        reason. That an answer waits for a question is what the scenarios themselves see to.
        """
        normalise = Normaliser()
        for sender in ("client", "server"):
            for line in (line for by, line in self.lines if by == sender):
                yield json.dumps({sender: normalise(line)})
        for printout in self.printouts:
            yield json.dumps({"printed": normalise(printout)})
        for ending in self.exits:
            yield json.dumps({"exit": ending})
        for method in ("POST", "GET", "DELETE"):
            for exchange in (it for it in self.exchanges if it.method == method):
                yield json.dumps(_printed(exchange, normalise))


class Normaliser:
    """Replaces what is made anew by every run; one random id becomes the same name everywhere."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        text = _UUID.sub(self._id, text)
        text = _STATE.sub("STATE", text)
        text = _TIME.sub("TIME", text)
        text = _PORT.sub(r"\1NUMBER", text)
        text = _ADDRESS.sub("ADDRESS", text)
        if len(text) <= _LONGEST:
            return text
        digest = hashlib.sha256(text.encode()).hexdigest()
        return f"{text[:200]}… {len(text)} characters, SHA-256 {digest}"

    def _id(self, match: re.Match[str]) -> str:
        return self._ids.setdefault(match[0], f"ID-{len(self._ids) + 1}")


def _printed(exchange: Exchange, normalise: Normaliser) -> Json:
    # A server ends its own stream as the client goes, and either may be first.
    end = {"end": exchange.end} if exchange.method != "GET" else {}
    asked, answered = exchange.request_body, exchange.response_body.decode()
    request_headers = _comparable(exchange.request_headers, asked)
    headers = _comparable(exchange.response_headers, answered)
    return {
        "request": f"{exchange.method} {exchange.path}",
        "request_headers": _printed_headers(request_headers, normalise),
        "request_body": normalise(asked),
        "status": exchange.status,
        "headers": _printed_headers(headers, normalise),
        "body": normalise(answered),
        **end,
    }


def _comparable(headers: dict[str, str], body: str) -> dict[str, str]:
    """What stands for a server's state is encrypted anew each time, and not always as long."""
    if not _STATE.search(body):
        return headers
    return {name: value for name, value in headers.items() if name != "content-length"}


def _printed_headers(headers: dict[str, str], normalise: Normaliser) -> dict[str, str]:
    compared = sorted(headers.keys() - _NOT_COMPARED)
    return {name: normalise(headers[name]) for name in compared}
