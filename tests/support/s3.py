"""An S3-compatible server of the tests, in a process of its own that can go away and come back."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import boto3
import httpx
from botocore.config import Config

from support.ports import free_port

BUCKET = "aquatint-test"
ACCESS = {"access_key": "test-access", "secret_key": "test-secret-0123456789"}
_SERVE = "import sys\nfrom moto.server import main\nmain(['-H', '127.0.0.1', '-p', sys.argv[1]])\n"


@contextlib.contextmanager
def running_s3(folder: Path) -> Iterator[S3Server]:
    """A server with an empty bucket while the block lasts."""
    server = S3Server(folder).start()
    try:
        yield server
    finally:
        server.stop()


class S3Server:
    """Holds its objects in memory: `pause` makes it silent without losing them, `stop` ends it."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._log = folder / "s3.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _SERVE, str(self.port)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        end = time.monotonic() + 30.0
        while True:
            with contextlib.suppress(httpx.HTTPError):
                httpx.get(self.url, timeout=1.0)
                break
            assert time.monotonic() < end, self._log.read_text(errors="replace")[-2000:]
            time.sleep(0.05)
        self.client().create_bucket(Bucket=BUCKET)
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10.0)

    @property
    def pid(self) -> int:
        assert self._process is not None, "the S3 server was not started"
        return self._process.pid

    def client(self) -> Any:
        """A client of the operator, to look behind our back."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=ACCESS["access_key"],
            aws_secret_access_key=ACCESS["secret_key"],
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
        )

    def keys(self) -> list[str]:
        return [item["Key"] for item in self.client().list_objects_v2(Bucket=BUCKET).get("Contents", [])]

    def environment(self, prefix: str = "results") -> dict[str, str]:
        """Settings of a server that keeps its assets here."""
        return {
            "AQUATINT_ASSETS__URL": f"s3://{BUCKET}/{prefix}",
            "AQUATINT_ASSETS__S3_ENDPOINT": self.url,
            "AQUATINT_ASSETS__S3_ACCESS_KEY": ACCESS["access_key"],
            "AQUATINT_ASSETS__S3_SECRET_KEY": ACCESS["secret_key"],
        }
