"""What the peers built on FastAPI share: the request, the check of the key, the signed callback."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from typing import Annotated, Any, Literal

from fastapi import Header, HTTPException
from pydantic import BaseModel, ConfigDict, Field

STUB_SECONDS = float(os.environ.get("STUB_MS", "0")) / 1000  # how long the engine takes
KEYS = frozenset({hashlib.sha256(os.environ["DIY_KEY"].encode()).digest()})
WEBHOOK_SECRET = b"whsec-bench"
RESULT = {"type": "image", "urls": ["http://127.0.0.1/files/x/0.png"]}

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


async def auth(authorization: Annotated[str | None, Header()] = None) -> str:
    header = authorization or ""
    if header[:7] != "Bearer " or hashlib.sha256(header[7:].encode()).digest() not in KEYS:
        raise HTTPException(401)
    return "k1"


def letter(task_id: str, body: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """The callback of a finished task: its body and its headers, signed."""
    shown = {"model": body["model"], **body["input"]}
    data = {"taskId": task_id, "status": "SUCCESS", "input": shown, "result": RESULT}
    payload = json.dumps({"code": 0, "msg": "ok", "data": data}).encode()
    timestamp = str(int(time.time()))
    digest = hmac.digest(WEBHOOK_SECRET, timestamp.encode() + b"." + payload, "sha256").hex()
    return payload, {
        "content-type": "application/json",
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{digest}",
    }
