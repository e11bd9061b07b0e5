"""python -m bench.telemetry: what counting costs a submit, a run and a callback.

Microseconds of one step, the best of several rounds, on one core. docs/reference/metrics.md has the numbers.
"""

from __future__ import annotations

import asyncio
import timeit
from collections.abc import Awaitable, Callable

from prometheus_client import CollectorRegistry
from prometheus_client import Counter as TheirCounter
from prometheus_client import Histogram as TheirHistogram
from starlette.types import Message, Receive, Scope, Send

from aquatint.api import problems
from aquatint.api.observed import Observed
from aquatint.telemetry import Metrics, NullTracer

ROUNDS = 9
STEPS = 100_000
SUBMIT = "/api/v1/task/submit"
HEADERS = [
    (b"host", b"127.0.0.1:8000"),
    (b"accept", b"*/*"),
    (b"accept-encoding", b"gzip, deflate"),
    (b"connection", b"keep-alive"),
    (b"user-agent", b"bench"),
    (b"authorization", b"Bearer aq_0123456789"),
    (b"content-length", b"120"),
    (b"content-type", b"application/json"),
]


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


async def _receive() -> Message:
    return {"type": "http.request"}


async def _send(message: Message) -> None:
    pass


def _best(step: Callable[[], object]) -> float:
    return min(timeit.repeat(step, number=STEPS, repeat=ROUNDS)) / STEPS * 1e6


def _best_async(app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> float:
    async def many() -> None:
        for _ in range(STEPS):
            await app({"type": "http", "method": "POST", "path": SUBMIT, "headers": HEADERS}, _receive, _send)

    return min(timeit.repeat(lambda: asyncio.run(many()), number=1, repeat=ROUNDS)) / STEPS * 1e6


def measure() -> list[tuple[str, float]]:
    """What was measured, and microseconds."""
    metrics, tracer = Metrics(), NullTracer()
    registry = CollectorRegistry()
    labels = (SUBMIT, "POST", "200")
    counter = TheirCounter("a", "a", ["r", "m", "s"], registry=registry).labels(*labels)
    histogram = TheirHistogram("b", "b", ["r", "m", "s"], registry=registry).labels(*labels)
    spent = [("queue", 0.01), ("references", 0.0), ("wait", 0.001), ("run", 2.0), ("store", 0.03)]

    def run() -> None:
        metrics.attempted("studio", spent)
        metrics.settled("studio", "SUCCESS", None, 3.0)

    def theirs() -> None:
        counter.inc()
        histogram.observe(0.004)
        counter.inc()

    def untraced() -> None:
        with tracer.span("attempt.run", ""):
            pass

    requests = metrics.requests(*labels)
    bare = _best_async(_app)
    return [
        (
            "a request: counted, timed and named",
            _best_async(Observed(_app, (), metrics, problems.refused, problems.broken)) - bare,
        ),
        ("  of which counted", _best(lambda: requests.observe(0.004))),
        ("a submit: counted by model and class", _best(lambda: metrics.submitted("seedream-4.5", False))),
        ("a span where nothing is traced", _best(untraced)),
        ("a run: phases, outcome, seconds", _best(run)),
        ("a callback: outcome, first try", _best(lambda: metrics.tried("delivered", 0.1))),
        ("prometheus_client for one submit (2 counters, 1 histogram)", _best(theirs)),
        ("a scrape, without the database", _best_scrape(metrics)),
    ]


def _best_scrape(metrics: Metrics) -> float:
    return min(timeit.repeat(lambda: metrics.render(""), number=20, repeat=ROUNDS)) / 20 * 1e6


def main() -> None:
    for name, microseconds in measure():
        print(f"{name:60} {microseconds:8.2f} µs")


if __name__ == "__main__":
    main()
