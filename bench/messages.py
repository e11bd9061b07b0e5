"""The requests: one body for every server, so that all are asked for the same work."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from bench.lanes import HOST

SECRET = "sk-bench-0123456789abcdef"
PROMPT = "a watercolor fox in the rain, " * 6
CALLBACK = "CALLBACK"  # where a body has the URL to be called
NUMBER = "NUMBER"  # where a body has the task's number


@dataclass(frozen=True, slots=True)
class Api:
    """How a kind of server is asked, and what it says when all is well."""

    submit_path: str
    body: dict[str, Any]
    taken: tuple[int, bytes]  # status and a part of the answer to a submit
    id_at: tuple[str, ...]  # where that answer has the task's id
    query_path: str
    ended: bytes  # a part of the answer about a task that went well


TASK_API = Api(
    submit_path="/api/v1/task/submit",
    body={
        "model": "seedream-4.5",
        "input": {"prompt": PROMPT, "ratio": "16:9", "resolution": "2k"},
        "callBackUrl": CALLBACK,
    },
    taken=(200, b'"code":0'),
    id_at=("data", "taskId"),
    query_path="/api/v1/task/{}",
    ended=b'"SUCCESS"',
)
COMFY_API = Api(
    submit_path="/api/v2/jobs",
    body={
        "workflow": {
            "3": {"class_type": "KSampler", "inputs": {"seed": 5, "steps": 20, "positive": ["6", 0]}},
            "6": {"class_type": "CLIPTextEncode", "inputs": {"text": PROMPT}},
            "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "fox", "images": ["3", 0]}},
        },
        "metadata": NUMBER,
    },
    taken=(201, b'"id"'),
    id_at=("id",),
    query_path="/api/v2/jobs/{}",
    ended=b'"succeeded"',
)
IMAGE_API = Api(  # OpenAI's call, which is answered when the picture is there: nothing is asked after
    submit_path="/v1/images/generations",
    body={"model": "gpt-image-2", "prompt": PROMPT, "size": "1024x1024", "n": 1, "user": NUMBER},
    taken=(200, b'"b64_json"'),
    id_at=(),
    query_path="",
    ended=b"",
)


@dataclass(frozen=True, slots=True)
class SubmitMessages:
    """Submits with bearer, callback and an Idempotency-Key of their own; `raw(n)` is the n-th.

    The number has ten digits wherever it stands, so that every message has the same length and making one is one
    formatting.
    """

    template: bytes
    taken: tuple[int, bytes]

    def raw(self, n: int) -> bytes:
        return self.template % (n, n)

    def accepted(self, status: int, body: bytes) -> bool:
        return status == self.taken[0] and self.taken[1] in body


def submit_messages(
    port: int, hook_port: int, run_id: str, api: Api = TASK_API, hook_host: str = HOST
) -> SubmitMessages:
    """Messages for the server on `port` that call back to `hook_port`; `run_id` keeps idempotency keys apart."""
    body = json.dumps(api.body).replace("%", "%%")
    body = body.replace(CALLBACK, f"http://{hook_host}:{hook_port}/h/%010d").replace(NUMBER, "%010d")
    length = len(body % 0)
    head = [
        f"POST {api.submit_path} HTTP/1.1",
        f"host: {HOST}:{port}",
        "content-type: application/json",
        f"authorization: Bearer {SECRET}",
        f"idempotency-key: {run_id}-%010d",
        f"content-length: {length}",
    ]
    return SubmitMessages(("\r\n".join(head) + "\r\n\r\n" + body).encode(), api.taken)


def query_message(port: int, task_id: str, api: Api = TASK_API) -> bytes:
    """A query of one task."""
    path = api.query_path.format(task_id)
    lines = (f"GET {path} HTTP/1.1", f"host: {HOST}:{port}", f"authorization: Bearer {SECRET}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def operator_message(port: int, path: str) -> bytes:
    """A POST without a body, such as pausing a lane."""
    lines = (f"POST {path} HTTP/1.1", f"host: {HOST}:{port}", f"authorization: Bearer {SECRET}", "content-length: 0")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def task_id_of(body: bytes, api: Api = TASK_API) -> str:
    """The id in a submit's answer."""
    found = json.loads(body)
    for name in api.id_at:
        found = found[name]
    return str(found)
