"""What no well-behaved client sends: text put on the wire by hand.

Where no request can be read from it, the calls are written out.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from calls import Call, calls_in
from wire import HttpWire, Scenario, StdioWire, Wire

Calls = list[Call]
Write = Callable[[str], Awaitable[None]]

# An event for what no request can be read from.
INVALID = Call("invalid", None, "invalid_request")
OPENING = Call("initialize", None, "ok")
PING = Call("ping", None, "ok")

ACCEPT = "application/json, text/event-stream"
JSON = {"accept": ACCEPT, "content-type": "application/json"}


def request(id: Any, method: str, **params: Any) -> str:
    message = {"jsonrpc": "2.0", "id": id, "method": method}
    if params:
        message["params"] = params
    return json.dumps(message, ensure_ascii=False)


HELLO = request(
    "hello",
    "initialize",
    protocolVersion="2025-11-25",
    capabilities={},
    clientInfo={"name": "audit-tests", "version": "1"},
)
INITIALIZED = '{"jsonrpc":"2.0","method":"notifications/initialized"}'

# What stands in for a handshake in the newer era.
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "audit-tests", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


async def batch(wire: Wire) -> Calls:
    """An array of requests: gone from the protocol, and not from the field."""
    both = f"[{request('first', 'ping')},{request('second', 'ping')}]"
    async with session(wire) as write:
        await write(both)
    # On a pipe nobody answers it, and on HTTP it is refused by some.
    outcome = "ok" if wire.transcript.seen('"first"') else "invalid_request"
    return [OPENING, Call("ping", None, outcome), Call("ping", None, outcome), PING]


async def malformed_json(wire: Wire) -> Calls:
    async with session(wire) as write:
        await write('{"jsonrpc":"2.0","id":"never","method":"pi')
    return [OPENING, INVALID, PING]


async def malformed_envelope(wire: Wire) -> Calls:
    """JSON that is no message."""
    texts = (
        '"ping"',
        '{"jsonrpc":"2.0","id":"never"}',
        '{"jsonrpc":"2.0","id":"never","method":7}',
    )
    async with session(wire) as write:
        for text in texts:
            await write(text)
    return [OPENING, *[INVALID] * len(texts), PING]


async def ids(wire: Wire) -> Calls:
    """Ids that another JSON library might not give back as they are."""
    odd = ["", "grün \u2028 \U0001f980", '"quoted"', -1, 0]
    if wire.server != "everything":
        # Larger than what JavaScript can count to, and than 64 bits.
        odd += [2**53 + 1, 2**70]
    async with session(wire) as write:
        for id in odd:
            await write(request(id, "ping"))
    return calls_in(wire.transcript)


async def odd_spelling(wire: Wire) -> Calls:
    """Messages that are right, and not as one's own library would write them."""
    texts = (
        ' { "method" : "ping" , "id" : "spaces" , "jsonrpc" : "2.0" } ',
        '{"jsonrpc":"2.0","id":"escape","method":"p\\u0069ng"}',
        '{"jsonrpc":"2.0","id":"unknown","method":"ping","x-unknown":[1.0,1e2,-0.0]}',
        '{"jsonrpc":"2.0","id":"not this","id":"twice","method":"ping"}',
    )
    async with session(wire) as write:
        for text in texts:
            await write(text)
    return calls_in(wire.transcript)


async def unknown_method(wire: Wire) -> Calls:
    async with session(wire) as write:
        await write(request("unknown", "no/such/method"))
    return calls_in(wire.transcript)


async def wrong_content_type(wire: Wire) -> Calls:
    async with http_session(wire) as (http, url, headers):
        text = headers | {"content-type": "text/plain"}
        await http.post(url, headers=text, content=request("never", "ping"))
    # Not every server says so in JSON.
    return [OPENING, Call("ping", None, "invalid_request")]


async def wrong_accept(wire: Wire) -> Calls:
    """A client that does not take what it would be answered with."""
    async with http_session(wire) as (http, url, headers):
        html = headers | {"accept": "text/html"}
        await http.post(url, headers=html, content=request("never", "ping"))
    return calls_in(wire.transcript)


async def wrong_session(wire: Wire) -> Calls:
    assert isinstance(wire, HttpWire)
    async with wire.http() as http:
        nowhere = JSON | {"mcp-session-id": "nowhere"}
        await http.post(wire.url, headers=nowhere, content=request("never", "ping"))
        await http.get(wire.url, headers=nowhere)
        await http.delete(wire.url, headers=nowhere)
        await http.post(wire.url, headers=JSON, content=request("never", "ping"))
    return calls_in(wire.transcript)


async def wrong_header(wire: Wire) -> Calls:
    """The newer era says what a request is in headers too, and they have to agree."""
    assert isinstance(wire, HttpWire)
    call = request("never", "tools/call", name="add", arguments={"a": 1, "b": 2}, _meta=META)
    headers = JSON | {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call"}
    async with wire.http() as http:
        await http.post(wire.url, headers=headers | {"mcp-name": "fail"}, content=call)
        await http.post(wire.url, headers=headers, content=call)
        await http.post(wire.url, headers=headers | {"mcp-name": "add"}, content=call)
    return calls_in(wire.transcript)


@asynccontextmanager
async def session(wire: Wire) -> AsyncIterator[Write]:
    """A session after its handshake; what is yielded writes one text on it."""
    way = pipe_session(wire) if isinstance(wire, StdioWire) else post_session(wire)
    async with way as write:
        yield write
        await write(request("last", "ping"))
        # It takes one line after the other, so there will be no answer to what was before this.
        await wire.transcript.until_seen('"last"', 1)


@asynccontextmanager
async def pipe_session(wire: StdioWire) -> AsyncIterator[Write]:
    async with wire.process() as process:
        assert process.stdin is not None
        stdin = process.stdin

        async def write(text: str) -> None:
            await stdin.send(text.encode() + b"\n")

        await write(HELLO)
        await wire.transcript.until_seen('"hello"', 1)
        await write(INITIALIZED)
        yield write


@asynccontextmanager
async def post_session(wire: Wire) -> AsyncIterator[Write]:
    async with http_session(wire) as (http, url, headers):

        async def write(text: str) -> None:
            await http.post(url, headers=headers, content=text)

        yield write


@asynccontextmanager
async def http_session(
    wire: Wire,
) -> AsyncIterator[tuple[httpx2.AsyncClient, str, dict[str, str]]]:
    """An HTTP client, the URL and the headers of a session after its handshake."""
    assert isinstance(wire, HttpWire)
    async with wire.http() as http:
        hello = await http.post(wire.url, headers=JSON, content=HELLO)
        headers = JSON | {"mcp-session-id": hello.headers["mcp-session-id"]}
        await http.post(wire.url, headers=headers, content=INITIALIZED)
        yield http, wire.url, headers


RAW: dict[str, Scenario] = {
    scenario.__name__: scenario
    for scenario in (
        batch,
        ids,
        malformed_envelope,
        malformed_json,
        odd_spelling,
        unknown_method,
        wrong_accept,
        wrong_content_type,
        wrong_header,
        wrong_session,
    )
}
