"""The demo's server: `aquatint serve` as a child process on a free port, and a client of it."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from aquatint.domain.errors import AquatintError

START_SECONDS = 30.0
STOP_SECONDS = 30.0
REQUEST_SECONDS = 30.0
LOG_LINES = 20

Json = dict[str, Any]


class DemoFailed(AquatintError):
    """The demo saw something that should not be; the message says what."""


class DemoServer:
    """Runs while its `async with` block lasts; its folder is gone afterwards."""

    def __init__(self, webhook_secret: str) -> None:
        self._webhook_secret = webhook_secret
        self._key = f"demo_{secrets.token_urlsafe(24)}"
        self._folder = tempfile.TemporaryDirectory(prefix="aquatint-demo-", ignore_cleanup_errors=True)
        self._log = Path(self._folder.name) / "server.log"
        self._process: asyncio.subprocess.Process | None = None
        self._client: aiohttp.ClientSession | None = None
        self.origin = f"http://127.0.0.1:{_free_port()}"

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def submit(self, body: Json) -> str:
        """The new task's id. Raises DemoFailed."""
        return str((await self._data("POST", "/api/v1/task/submit", json=body))["taskId"])

    async def query(self, task_id: str) -> Json:
        """The task object. Raises DemoFailed."""
        return await self._data("GET", f"/api/v1/task/{task_id}")

    async def download(self, url: str, path: Path) -> None:
        """Save what a result URL answers; no key is sent. Raises DemoFailed."""
        async with self._session.get(url, headers={"authorization": ""}) as response:
            if response.status != 200:
                raise DemoFailed(f"{url} answered with status {response.status}")
            await asyncio.to_thread(path.write_bytes, await response.read())

    def log_tail(self) -> str:
        """The end of what the server said."""
        text = self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""
        return "\n".join(text.splitlines()[-LOG_LINES:])

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self._client is None:
            raise DemoFailed("the server is not running")
        return self._client

    async def _data(self, method: str, path: str, **options: Any) -> Json:
        try:
            async with self._session.request(method, self.origin + path, **options) as response:
                text = await response.text()
                envelope = await response.json() if response.content_type == "application/json" else {}
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise DemoFailed(f"{method} {path} got no answer ({error or type(error).__name__})") from None
        if response.status != 200 or envelope.get("code") != 0:
            raise DemoFailed(f"{method} {path} answered with status {response.status}: {text[:300]}")
        data: Json = envelope["data"]
        return data

    async def _start(self) -> None:
        # Settings of the person who runs the demo must not change what it shows.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AQUATINT_")}
        environment |= {
            "AQUATINT_API_KEY": self._key,
            "AQUATINT_NET__ALLOW": "127.0.0.0/8",
            "AQUATINT_WEBHOOKS__SECRET": self._webhook_secret,
            "AQUATINT_WORKER__DRAIN": "1s",  # whoever stops the demo does not want to wait for its picture
        }
        port = self.origin.rpartition(":")[2]
        options = ("serve", "--port", port, "--data-dir", str(Path(self._folder.name) / "data"))
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-c", "from aquatint.cli import main; main()", *options),
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the demo, which then stops the server in good order
            )
        timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
        self._client = aiohttp.ClientSession(timeout=timeout, headers={"authorization": f"Bearer {self._key}"})
        await self._answering()

    async def _answering(self) -> None:
        end = time.monotonic() + START_SECONDS
        while not await self._healthy():
            if time.monotonic() > end:
                raise DemoFailed(f"the server did not answer within {START_SECONDS:.0f} s\n{self.log_tail()}")
            await asyncio.sleep(0.05)

    async def _healthy(self) -> bool:
        if self._process is not None and self._process.returncode is not None:
            raise DemoFailed(f"the server ended with exit code {self._process.returncode}\n{self.log_tail()}")
        try:
            async with self._session.get(f"{self.origin}/healthz") as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def _stop(self) -> None:
        if self._client is not None:
            await self._client.close()
        process = self._process
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await process.wait()
            except (TimeoutError, asyncio.CancelledError):
                process.kill()
                await process.wait()
        self._folder.cleanup()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
