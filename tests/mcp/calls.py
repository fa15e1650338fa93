"""What the store must hold after a scenario, read from what the client sent and received.

It is worked out here once more, from the transcript and without a line of the code under test.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from transcript import Exchange, Transcript

Message = dict[str, Any]

INVALID_REQUEST = {-32700, -32600}


@dataclass(frozen=True)
class Call:
    """One event of the store."""

    method: str
    tool_name: str | None
    outcome: str


def expected(calls: Iterable[Call]) -> str:
    return json.dumps({"expected": [asdict(call) for call in calls]})


def calls_in(transcript: Transcript) -> list[Call]:
    """Every request that was sent, by either side, in order."""
    if transcript.exchanges:
        return list(_calls_over_http(transcript.exchanges))
    return list(_calls_by_pipe(transcript))


def _calls_by_pipe(transcript: Transcript) -> Iterator[Call]:
    messages = [(sender, json.loads(line)) for sender, line in transcript.lines]
    for sender, message in messages:
        if not _is_request(message):
            continue
        replies = (it for by, it in messages if by != sender)
        cancels = (it for by, it in messages if by == sender)
        # Where the server did not die, the client was the first to go: what it still waited for, it
        # has given up.
        gave_up = sender == "client" and transcript.exits == ["clean"]
        otherwise = "cancelled" if gave_up else "upstream_disconnected"
        yield _call(message, replies, cancels, otherwise)


def _calls_over_http(exchanges: list[Exchange]) -> Iterator[Call]:
    posted = [json.loads(it.request_body) for it in exchanges if it.request_body]
    for exchange in exchanges:
        received = list(_received(exchange))
        if exchange.request_body:
            message = json.loads(exchange.request_body)
            if _is_request(message):
                left = exchange.end == "left"
                otherwise = "cancelled" if left else "upstream_disconnected"
                refused = any(_refuses(reply) for reply in received)
                call = _call(message, received, posted, otherwise)
                yield replace(call, outcome="invalid_request") if refused else call
        for message in filter(_is_request, received):
            yield _call(message, posted, received, otherwise="upstream_disconnected")


def _received(exchange: Exchange) -> Iterator[Message]:
    body = exchange.response_body.decode()
    if exchange.response_headers.get("content-type", "").startswith("text/event-stream"):
        for line in body.split("\n"):
            data = line.removeprefix("data:")
            if data != line and data.strip():
                yield json.loads(data)
    elif body:
        yield json.loads(body)


def _refuses(reply: Message) -> bool:
    """A server that takes no request out of a body has none to name in its answer."""
    return "error" in reply and reply.get("id") is None


def _is_request(message: Message) -> bool:
    return "method" in message and "id" in message


def _call(
    request: Message, replies: Iterable[Message], sent: Iterable[Message], otherwise: str
) -> Call:
    name = request["method"]
    tool = request["params"]["name"] if name == "tools/call" else None
    # Some servers do answer what was cancelled, to say that it was.
    if any(_cancels(message, request) for message in sent):
        return Call(name, tool, "cancelled")
    for reply in replies:
        if reply.get("id") == request["id"] and "method" not in reply:
            return Call(name, tool, _outcome(reply))
    return Call(name, tool, otherwise)


def _outcome(reply: Message) -> str:
    if error := reply.get("error"):
        return "invalid_request" if error["code"] in INVALID_REQUEST else "rpc_error"
    return "tool_error" if reply["result"].get("isError") else "ok"


def _cancels(message: Message, request: Message) -> bool:
    return (
        message.get("method") == "notifications/cancelled"
        and message["params"]["requestId"] == request["id"]
    )
