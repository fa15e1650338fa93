"""A day of traffic: the calls of the demo again and again, as an export that can be imported."""

import hashlib
import json
import math
import random
from datetime import datetime, timedelta, timezone

# How often a call of this outcome is made, against the others.
WEIGHTS = {
    "ok": 120,
    "unauthenticated": 5,
    "denied": 8,
    "rate_limited": 9,
    "tool_error": 6,
    "rpc_error": 2,
    "timeout": 1,
    "cancelled": 1,
    "invalid_request": 1,
}
QUARTER = timedelta(minutes=15)
N_QUARTERS = 96


def spread(lines, until):
    """Events of the day before a moment, drawn from those of an export; the same each time, but for it."""
    draw = random.Random(20)
    samples = [json.loads(line) for line in lines[:-1]]
    writer = "audit-demo/" + draw.randbytes(6).hex()
    moments = sorted(
        until - QUARTER * (N_QUARTERS - nth) + QUARTER * draw.random()
        for nth in range(N_QUARTERS)
        for _ in range(calls_of(nth, draw))
    )
    weights = [WEIGHTS[sample["outcome"]] for sample in samples]
    text = ""
    for seq, moment in enumerate(moments, 1):
        event = json.loads(json.dumps(draw.choices(samples, weights)[0]))
        slower = draw.lognormvariate(0.3, 0.7)
        for latency in ("latency_ms", "upstream_latency_ms"):
            if latency in event:
                event[latency] = round(event[latency] * slower, 3)
        event |= {
            "id": uuid7(moment, draw),
            "ts": moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "request_id": f"demo-{seq}",
            "writer": writer,
            "seq": seq,
        }
        text += json.dumps(event, separators=(",", ":")) + "\n"
    end = {"rows": len(moments), "sha256": hashlib.sha256(text.encode()).hexdigest()}
    return text + json.dumps({"audit_export": end}, separators=(",", ":")) + "\n"


def calls_of(quarter, draw):
    """How many calls fall into a quarter of an hour: few at first, most in the second half."""
    usual = 5 + 22 * math.sin(math.pi * quarter / N_QUARTERS) ** 2
    return round(usual * draw.uniform(0.6, 1.4))


def uuid7(moment, draw):
    """An id of this time, by RFC 9562."""
    millis = (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(milliseconds=1)
    bits = millis << 80 | 7 << 76 | draw.getrandbits(12) << 64 | 2 << 62 | draw.getrandbits(62)
    digits = f"{bits:032x}"
    return "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]])
