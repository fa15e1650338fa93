"""What a client does that others wrote: one function a scenario, named as on the command line.

Nothing here waits for a while: a scenario
waits for what it has to see, so that a proxy which holds something back makes it hang.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, MCPError
from mcp_types import CreateMessageResult, ElicitResult, ListRootsResult, Root, TextContent
from pydantic import FileUrl

from calls import Call, calls_in
from samples import SAMPLES
from wire import Scenario, Wire

# How the tool calls of a scenario have to end, in order.
Outcomes = list[str]

PROGRESS = "notifications/progress"


async def listing(wire: Wire) -> Outcomes:
    async with wire.client() as client:
        await client.list_tools()
    return []


async def call(wire: Wire) -> Outcomes:
    return await _call_sample(wire, "call")


async def tool_error(wire: Wire) -> Outcomes:
    return await _call_sample(wire, "tool_error")


async def unknown_tool(wire: Wire) -> Outcomes:
    return await _call_sample(wire, "unknown_tool")


async def bad_arguments(wire: Wire) -> Outcomes:
    return await _call_sample(wire, "bad_arguments")


async def big_result(wire: Wire) -> Outcomes:
    return await _call_sample(wire, "big_result")


async def get_env(wire: Wire) -> Outcomes:
    outcomes = await _call_sample(wire, "get_env")
    assert wire.transcript.seen(os.environ["AUDIT_TEST_MARKER"]), "the server has the marker"
    return outcomes


async def _call_sample(wire: Wire, kind: str) -> Outcomes:
    sample = SAMPLES[wire.server][kind]
    async with wire.client() as client:
        # Whether it is the right error is for the transcripts to show.
        with suppress(MCPError):
            await client.call_tool(sample.tool, sample.arguments)
    return [sample.outcome]


async def progress(wire: Wire) -> Outcomes:
    sample = SAMPLES[wire.server]["progress"]
    async with wire.client() as client:
        await client.call_tool(sample.tool, sample.arguments, progress_callback=_ignore)
    assert wire.transcript.seen(PROGRESS) == 3
    return ["ok"]


async def slow_call(wire: Wire) -> Outcomes:
    """The call ends only after the client has seen its progress: nothing may be held back."""
    async with wire.client() as client, anyio.create_task_group() as calls:
        calls.start_soon(_wait, client, "slow")
        await wire.transcript.until_seen(PROGRESS, 1)
        await client.call_tool("release", {"gate": "slow"})
    return ["ok", "ok"]


async def out_of_order(wire: Wire) -> Outcomes:
    """Three calls at once, answered last first."""
    gates = ("first", "second", "third")
    async with wire.client() as client, anyio.create_task_group() as calls:
        for started, gate in enumerate(gates, start=1):
            calls.start_soon(_wait, client, gate)
            await wire.transcript.until_seen(PROGRESS, started)
        for answered, gate in enumerate(reversed(gates), start=1):
            await client.call_tool("release", {"gate": gate})
            await wire.transcript.until_seen('"text":"released"', answered)
    return ["ok"] * 6


async def cancel(wire: Wire) -> Outcomes:
    """A call is given up once it is known to run; the server has to hear of it."""
    async with wire.client() as client:
        async with anyio.create_task_group() as calls:
            calls.start_soon(_wait, client, "cancel")
            await wire.transcript.until_seen(PROGRESS, 1)
            calls.cancel_scope.cancel()
        await client.call_tool("cancelled", {"gate": "cancel"})
        # Some servers answer even so.
        await wire.transcript.until(lambda it: it.is_settled())
    return ["cancelled", "ok"]


async def cancel_unheard(wire: Wire) -> Outcomes:
    """A server that works on after a cancel: its answer must not come, however late it is.

    A call like it that was begun later has ended by then.
    """
    operation = ("trigger-long-running-operation", {"duration": 0.3, "steps": 1})
    async with wire.client() as client:
        async with anyio.create_task_group() as calls:
            calls.start_soon(client.call_tool, *operation)
            await wire.transcript.until(lambda it: it.sent('"tools/call"') == 1)
            calls.cancel_scope.cancel()
        await client.call_tool(*operation)
    return ["cancelled", "ok"]


async def server_killed(wire: Wire) -> Outcomes:
    """The server dies in the middle of a call whose response has begun."""
    async with wire.client(stays_connected=False) as client, anyio.create_task_group() as calls:
        calls.start_soon(_wait_in_vain, client)
        await wire.transcript.until_seen(PROGRESS, 1)
        server = Path(os.environ["AUDIT_TEST_PID_FILE"]).read_text()
        os.kill(int(server), signal.SIGKILL)
    return ["upstream_disconnected"]


async def elicitation(wire: Wire) -> Outcomes:
    """The server asks the user: in a request of its own, or by `input_required`."""
    tool = {"everything": "trigger-elicitation-request", "own": "ask"}[wire.server]

    async def answer(context: Any, parameters: Any) -> ElicitResult:
        return ElicitResult(action="accept", content={"name": "Ada"})

    async with wire.client(elicitation_callback=answer) as client:
        await client.call_tool(tool, {})
    rounds = 2 if wire.transcript.seen('"input_required"') else 1
    return ["ok"] * rounds


async def sampling(wire: Wire) -> Outcomes:
    """The server asks the client's model."""

    async def sample(context: Any, parameters: Any) -> CreateMessageResult:
        text = TextContent(type="text", text="sampled")
        return CreateMessageResult(role="assistant", content=text, model="none")

    async with wire.client(sampling_callback=sample) as client:
        await client.call_tool("trigger-sampling-request", {"prompt": "say something"})
    return ["ok"]


async def roots(wire: Wire) -> Outcomes:
    """The server asks for the client's roots when it pleases, outside of any call."""

    async def roots(context: Any) -> ListRootsResult:
        return ListRootsResult(roots=[Root(uri=FileUrl("file:///somewhere"), name="somewhere")])

    async with wire.client(list_roots_callback=roots) as client:
        await wire.transcript.until_seen("Roots updated", 1)
        await client.call_tool("get-roots-list", {})
    return ["ok"]


async def resources(wire: Wire) -> Outcomes:
    async with wire.client() as client:
        await client.list_resources()
        await client.list_resource_templates()
        await client.read_resource("demo://resource/static/document/features.md")
        with suppress(MCPError):
            await client.read_resource("demo://resource/nowhere")
    return []


async def prompts(wire: Wire) -> Outcomes:
    async with wire.client() as client:
        await client.list_prompts()
        await client.get_prompt("args-prompt", {"city": "Bern"})
    return []


async def subscription(wire: Wire) -> Outcomes:
    """What a server sends on its own for as long as it is asked to."""
    uri = "demo://resource/dynamic/text/1"
    async with wire.client() as client:
        await client.subscribe_resource(uri)
        await client.call_tool("toggle-subscriber-updates", {})
        await wire.transcript.until_seen("notifications/resources/updated", 1)
        await client.call_tool("toggle-subscriber-updates", {})
        await client.unsubscribe_resource(uri)
    return ["ok", "ok"]


async def listening(wire: Wire) -> Outcomes:
    """The newer era's stream of changes, which the client leaves."""
    async with wire.client() as client:
        async with client.listen(tools_list_changed=True) as changes:
            await client.call_tool("announce", {})
            await anext(aiter(changes))
        await wire.transcript.until(lambda it: it.is_settled())
        await client.call_tool("add", {"a": 1, "b": 2})
    return ["ok", "ok"]


async def _wait(client: Client, gate: str) -> None:
    await client.call_tool("wait", {"gate": gate}, progress_callback=_ignore)


async def _wait_in_vain(client: Client) -> None:
    try:
        await _wait(client, "never")
    except MCPError:
        return
    raise AssertionError("a server that is dead has answered")


async def _ignore(progress: float, total: float | None, message: str | None) -> None:
    pass


def _checked(play: Callable[[Wire], Awaitable[Outcomes]]) -> Scenario:
    """The scenario, which returns the calls in its transcript once they have ended as they must."""

    async def scenario(wire: Wire) -> list[Call]:
        outcomes = await play(wire)
        calls = calls_in(wire.transcript)
        of_tools = [call.outcome for call in calls if call.method == "tools/call"]
        assert of_tools == outcomes, f"the tool calls ended as {of_tools}, not as {outcomes}"
        return calls

    return scenario


SCENARIOS: dict[str, Scenario] = {
    play.__name__: _checked(play)
    for play in (
        bad_arguments,
        big_result,
        call,
        cancel,
        cancel_unheard,
        elicitation,
        get_env,
        listening,
        listing,
        out_of_order,
        progress,
        prompts,
        resources,
        roots,
        sampling,
        server_killed,
        slow_call,
        subscription,
        tool_error,
        unknown_tool,
    )
}
