"""FastAPI + Celery on Redis as it is built by hand, tuned: one HTTP client per worker, signed callbacks, retries.

DIY_DURABLE=1 adds acks_late, reject_on_worker_lost and prefetch 1; Redis' append-only file is the runner's business.
STUB_MS is how long the engine takes.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import json
import os
import time
from typing import Annotated, Any, Literal

import httpx
from celery import Celery, Task
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, ConfigDict, Field

REDIS = os.environ["REDIS_URL"]
STUB_SECONDS = float(os.environ.get("STUB_MS", "0")) / 1000
KEYS = frozenset({hashlib.sha256(os.environ["DIY_KEY"].encode()).digest()})
WEBHOOK_SECRET = b"whsec-bench"
RESULT = {"type": "image", "urls": ["http://127.0.0.1/files/x/0.png"]}

queue = Celery("diy", broker=REDIS, backend=REDIS)
queue.conf.update(broker_connection_retry_on_startup=True, task_track_started=False, result_expires=3600)
if os.environ.get("DIY_DURABLE") == "1":
    queue.conf.update(
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        broker_transport_options={"visibility_timeout": int(os.environ["DIY_VISIBILITY"])},
    )

Url = Annotated[str, Field(max_length=2048, pattern="^https?://")]


class Input(BaseModel):
    model_config = ConfigDict(extra="forbid")
    prompt: str = Field(min_length=1, max_length=8000)
    imageUrls: list[Url] | None = Field(default=None, max_length=14)  # noqa: N815  # the wire's spelling
    ratio: Literal["1:1", "4:3", "3:4", "16:9", "9:16", "3:2", "2:3", "21:9"] = "1:1"
    resolution: Literal["1k", "2k", "4k"] = "2k"


class Submit(BaseModel):
    model_config = ConfigDict(extra="forbid")
    model: str = Field(min_length=1, max_length=100)
    callBackUrl: Url | None = None  # noqa: N815  # the wire's spelling
    input: Input


@functools.cache
def client() -> httpx.Client:
    """One for each worker process: made at its first task, after the fork."""
    return httpx.Client(timeout=10)


def signed(payload: bytes) -> dict[str, str]:
    timestamp = str(int(time.time()))
    digest = hmac.digest(WEBHOOK_SECRET, timestamp.encode() + b"." + payload, "sha256").hex()
    return {
        "content-type": "application/json",
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{digest}",
    }


@queue.task(name="generate", bind=True, autoretry_for=(httpx.HTTPError,), retry_backoff=True, max_retries=5)
def generate(self: Task, body: dict[str, Any]) -> dict[str, Any]:
    if STUB_SECONDS:
        time.sleep(STUB_SECONDS)
    if body.get("callBackUrl"):
        shown = {"model": body["model"], **body["input"]}
        data = {"taskId": self.request.id, "status": "SUCCESS", "input": shown, "result": RESULT}
        payload = json.dumps({"code": 0, "msg": "ok", "data": data}).encode()
        client().post(body["callBackUrl"], content=payload, headers=signed(payload)).raise_for_status()
    return RESULT


app = FastAPI()


async def auth(authorization: Annotated[str | None, Header()] = None) -> str:
    header = authorization or ""
    if header[:7] != "Bearer " or hashlib.sha256(header[7:].encode()).digest() not in KEYS:
        raise HTTPException(401)
    return "k1"


@app.post("/api/v1/task/submit")
def submit(body: Submit, key: Annotated[str, Depends(auth)]) -> dict[str, Any]:
    sent = generate.apply_async(args=[body.model_dump()])
    return {"code": 0, "msg": "ok", "data": {"taskId": sent.id}}


@app.get("/api/v1/task/{task_id}")
def query(task_id: str, key: Annotated[str, Depends(auth)]) -> dict[str, Any]:
    found = queue.AsyncResult(task_id)
    data = {"taskId": task_id, "status": found.status, "result": found.result if found.ready() else None}
    return {"code": 0, "msg": "ok", "data": data}
