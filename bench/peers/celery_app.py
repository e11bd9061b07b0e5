"""FastAPI + Celery on Redis as it is built by hand, tuned: one HTTP client per worker, signed callbacks, retries.

DIY_DURABLE=1 adds acks_late, reject_on_worker_lost and prefetch 1; Redis' append-only file is the runner's business.
"""

from __future__ import annotations

import functools
import os
import time
from typing import Annotated, Any

import httpx
from celery import Celery, Task
from fastapi import Depends, FastAPI

from bench.peers.models import RESULT, STUB_SECONDS, Submit, auth, letter

REDIS = os.environ["REDIS_URL"]

queue = Celery("diy", broker=REDIS, backend=REDIS)
queue.conf.update(broker_connection_retry_on_startup=True, task_track_started=False, result_expires=3600)
if os.environ.get("DIY_DURABLE") == "1":
    queue.conf.update(
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        broker_transport_options={"visibility_timeout": int(os.environ["DIY_VISIBILITY"])},
    )


@functools.cache
def client() -> httpx.Client:
    """One for each worker process: made at its first task, after the fork."""
    return httpx.Client(timeout=10)


@queue.task(name="generate", bind=True, autoretry_for=(httpx.HTTPError,), retry_backoff=True, max_retries=5)
def generate(self: Task, body: dict[str, Any]) -> dict[str, Any]:
    if STUB_SECONDS:
        time.sleep(STUB_SECONDS)
    if body.get("callBackUrl"):
        payload, headers = letter(self.request.id, body)
        client().post(body["callBackUrl"], content=payload, headers=headers).raise_for_status()
    return RESULT


app = FastAPI()


@app.post("/api/v1/task/submit")
def submit(body: Submit, key: Annotated[str, Depends(auth)]) -> dict[str, Any]:
    sent = generate.apply_async(args=[body.model_dump()])
    return {"code": 0, "msg": "ok", "data": {"taskId": sent.id}}


@app.get("/api/v1/task/{task_id}")
def query(task_id: str, key: Annotated[str, Depends(auth)]) -> dict[str, Any]:
    found = queue.AsyncResult(task_id)
    data = {"taskId": task_id, "status": found.status, "result": found.result if found.ready() else None}
    return {"code": 0, "msg": "ok", "data": data}
