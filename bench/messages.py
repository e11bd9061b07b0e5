"""The requests: one body for every server, so that all are asked for the same work."""

from __future__ import annotations

import json
from dataclasses import dataclass

from bench.lanes import HOST

SECRET = "sk-bench-0123456789abcdef"
PROMPT = "a watercolor fox in the rain, " * 6
SUBMIT_PATH = "/api/v1/task/submit"


@dataclass(frozen=True, slots=True)
class SubmitMessages:
    """Text-to-image submits with bearer, callback and an Idempotency-Key of their own; `raw(n)` is the n-th.

    The number has ten digits wherever it stands, so that every message has the same length and making one is one
    formatting.
    """

    template: bytes

    def raw(self, n: int) -> bytes:
        return self.template % (n, n)

    @staticmethod
    def accepted(status: int, body: bytes) -> bool:
        return status == 200 and b'"code":0' in body


def submit_messages(port: int, hook_port: int, run_id: str) -> SubmitMessages:
    """Messages for the server on `port` that call back to `hook_port`; `run_id` keeps idempotency keys apart."""
    body = json.dumps(
        {
            "model": "seedream-4.5",
            "input": {"prompt": PROMPT, "ratio": "16:9", "resolution": "2k"},
            "callBackUrl": f"http://{HOST}:{hook_port}/h/%010d",
        }
    )
    length = len(body % 0)
    head = [
        f"POST {SUBMIT_PATH} HTTP/1.1",
        f"host: {HOST}:{port}",
        "content-type: application/json",
        f"authorization: Bearer {SECRET}",
        f"idempotency-key: {run_id}-%010d",
        f"content-length: {length}",
    ]
    return SubmitMessages(("\r\n".join(head) + "\r\n\r\n" + body).encode())


def query_message(port: int, task_id: str) -> bytes:
    """A query of one task."""
    lines = (f"GET /api/v1/task/{task_id} HTTP/1.1", f"host: {HOST}:{port}", f"authorization: Bearer {SECRET}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def task_id_of(body: bytes) -> str:
    """The id in a submit's answer."""
    return str(json.loads(body)["data"]["taskId"])
