"""FastAPI + the queue engine PgQueuer on PostgreSQL, with nothing around it: a job is a row of the engine.

`python -m bench.peers.pgqueuer_app` is the worker; with `install` it makes the engine's tables.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import asyncpg
import httpx
from fastapi import Depends, FastAPI, HTTPException
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgPoolDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries

from bench.peers.models import RESULT, STUB_SECONDS, Submit, auth, letter

POSTGRES = os.environ["PG_URL"]
BATCH = 64  # jobs that a worker takes at once


@asynccontextmanager
async def pool() -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(POSTGRES, min_size=2, max_size=12) as opened:
        yield opened


@asynccontextmanager
async def life(app: FastAPI) -> AsyncIterator[None]:
    async with pool() as opened:
        app.state.queries = Queries(AsyncpgPoolDriver(opened))
        yield


app = FastAPI(lifespan=life)


@app.post("/api/v1/task/submit")
async def submit(body: Submit, key: Annotated[str, Depends(auth)]) -> dict[str, Any]:
    ids = await app.state.queries.enqueue(["generate"], [body.model_dump_json().encode()], [0])
    return {"code": 0, "msg": "ok", "data": {"taskId": str(ids[0])}}


@app.get("/api/v1/task/{task_id}")
async def query(task_id: str, key: Annotated[str, Depends(auth)]) -> dict[str, Any]:
    found = await app.state.queries.job_status([int(task_id)])
    if not found:
        raise HTTPException(404)
    ended = found[0][1] == "successful"
    data = {"taskId": task_id, "status": "SUCCESS" if ended else "PENDING", "result": RESULT if ended else None}
    return {"code": 0, "msg": "ok", "data": data}


async def work() -> None:
    async with pool() as opened, httpx.AsyncClient(timeout=10) as client:
        engine = PgQueuer(AsyncpgPoolDriver(opened))

        @engine.entrypoint("generate")
        async def generate(job: Job) -> None:
            body = json.loads(job.payload or b"{}")
            if STUB_SECONDS:
                await asyncio.sleep(STUB_SECONDS)
            if body.get("callBackUrl"):
                payload, headers = letter(str(job.id), body)
                answer = await client.post(body["callBackUrl"], content=payload, headers=headers)
                answer.raise_for_status()

        await engine.run(batch_size=BATCH)


async def install() -> None:
    async with pool() as opened:
        await Queries(AsyncpgPoolDriver(opened)).install()


if __name__ == "__main__":
    asyncio.run(install() if sys.argv[1:] == ["install"] else work())
