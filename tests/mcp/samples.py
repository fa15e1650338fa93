"""One call of each kind, for each server: what it is and how it has to end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Sample:
    tool: str
    arguments: dict[str, Any] = field(default_factory=dict)
    outcome: str = "ok"


_CONVERSION = {"source_timezone": "UTC", "time": "12:30", "target_timezone": "Asia/Kathmandu"}

SAMPLES: dict[str, dict[str, Sample]] = {
    "everything": {
        "bad_arguments": Sample("get-sum", {"a": "one", "b": 2}, "tool_error"),
        "call": Sample("echo", {"message": "grüße, 你好 \u2028 \U0001f980"}),
        "get_env": Sample("get-env"),
        "progress": Sample("trigger-long-running-operation", {"duration": 0.03, "steps": 3}),
        "tool_error": Sample("get-resource-reference", {"resourceId": -1}, "tool_error"),
        "unknown_tool": Sample("no-such-tool", {"a": 1}, "tool_error"),
    },
    "own": {
        "bad_arguments": Sample("add", {"a": "one", "b": 2}, "tool_error"),
        "big_result": Sample("big", {"length": 2 * 1024 * 1024}),
        "call": Sample("add", {"a": 1, "b": 2}),
        "get_env": Sample("env"),
        "progress": Sample("count", {"to": 3}),
        "tool_error": Sample("fail", {"message": "as it was told to"}, "tool_error"),
        "unknown_tool": Sample("no-such-tool", {"a": 1}, "tool_error"),
    },
    "time": {
        "bad_arguments": Sample("convert_time", {"time": 12}, "tool_error"),
        "call": Sample("convert_time", _CONVERSION),
        "tool_error": Sample("get_current_time", {"timezone": "Nowhere/At_all"}, "tool_error"),
        "unknown_tool": Sample("no-such-tool", {"a": 1}, "rpc_error"),
    },
}
