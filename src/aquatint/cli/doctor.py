"""aquatint doctor: what is wrong with this set-up, in plain words."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import typer

from aquatint import bootstrap
from aquatint.cli.common import ConfigFile, DataDir, read
from aquatint.domain.errors import AquatintError, ConfigurationError
from aquatint.settings import Settings

Finding = tuple[str, str]  # "ok", "warn" or "fail", and a sentence
LOW_DISK = 2 * 1000**3  # bytes
SLOW_FSYNC = 0.02  # seconds
CLOCK_OFF = 2.0  # seconds
OLDEST_SQLITE = (3, 35, 0)  # RETURNING
OLDEST_POSTGRES = 14  # the oldest that its makers still repair


def doctor(config: ConfigFile = None, data_dir: DataDir = None) -> None:
    """Check this set-up and say what is wrong. Exit code 1 when something will not work."""
    failed = False
    for state, sentence in findings(config, data_dir):
        failed |= state == "fail"
        typer.echo(f"[{state:^4}] {sentence}")
    raise typer.Exit(1 if failed else 0)


def findings(config: Path | None, data_dir: Path | None) -> Iterator[Finding]:
    """Every check in order; later ones need the settings to be readable."""
    settings, problems = read(config, data_dir=data_dir)
    if problems:
        yield from (("fail", problem) for problem in problems)
        return
    yield "ok", "the settings can be read"
    checks: list[Callable[[Settings], Iterator[Finding]]] = [
        _database,
        _folder,
        _assets,
        _port,
        _public_url,
        _keys,
        _webhooks,
        _engines,
    ]
    for check in checks:
        try:
            yield from check(settings)
        except ConfigurationError as error:
            yield from (("fail", problem) for problem in error.problems)
        except (AquatintError, OSError, sqlite3.Error) as error:
            yield "fail", f"{check.__name__.strip('_')}: {error}"


def _database(settings: Settings) -> Iterator[Finding]:
    if bootstrap.database_path(settings) is None:
        yield from _postgres(settings)
        return
    version = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        yield "fail", f"this Python has SQLite {version}; 3.35 or newer is needed"
    else:
        yield "ok", f"SQLite {version}"


def _postgres(settings: Settings) -> Iterator[Finding]:
    found = asyncio.run(bootstrap.probe_database(settings))
    if found.major < OLDEST_POSTGRES:
        yield "fail", f"PostgreSQL {found.version} is too old; {OLDEST_POSTGRES} or newer is needed"
    else:
        yield "ok", f"PostgreSQL {found.version}, {found.round_trip * 1000:.1f} ms away"
    if not found.schema:
        yield "ok", "no tables yet: the first `aquatint serve` will make them"
    elif found.schema < found.newest:
        yield "ok", f"schema {found.schema}: the next start brings it to {found.newest}, while others run"
    else:
        yield "ok", f"schema {found.schema}"
    if not found.durable:
        yield "warn", "its fsync or synchronous_commit is off: a power cut loses tasks that were acknowledged"
    if abs(found.clock_ahead) > CLOCK_OFF:
        yield "warn", f"its clock differs from ours by {found.clock_ahead:+.1f} s; all processes go by the database's"


def _assets(settings: Settings) -> Iterator[Finding]:
    if settings.assets.url:
        asyncio.run(bootstrap.try_assets(settings))
        yield "ok", f"{settings.assets.url} can be written, read and cleared"


def _folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.server.data_dir
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"x" * 4096)
        file.flush()
        started = time.perf_counter()
        os.fsync(file.fileno())
        took = time.perf_counter() - started
    yield "ok", f"the data folder {folder} can be written"
    if took > SLOW_FSYNC:
        yield "warn", f"one durable write takes {took * 1000:.0f} ms here; submits will be slow (a network disk?)"
    free = shutil.disk_usage(folder).free
    if free < LOW_DISK:
        yield "warn", f"only {free / 1e9:.1f} GB are free there; a 4k picture takes up to 25 MB"


def _port(settings: Settings) -> Iterator[Finding]:
    server = settings.server
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((server.host, server.port))
        except OSError as error:
            yield "warn", f"{server.host}:{server.port} cannot be opened ({error.strerror}); is a server running?"
        else:
            yield "ok", f"{server.host}:{server.port} is free"


def _public_url(settings: Settings) -> Iterator[Finding]:
    base = bootstrap.public_urls(settings).base
    if not settings.assets.public_url and settings.server.host not in ("127.0.0.1", "localhost", "::1"):
        yield "warn", f"result URLs start with {base}; set AQUATINT_ASSETS__PUBLIC_URL to how callers reach you"
    else:
        yield "ok", f"result URLs start with {base}"


def _keys(settings: Settings) -> Iterator[Finding]:
    secret = settings.server.api_key
    if secret and len(secret) < 16:
        yield "warn", "AQUATINT_API_KEY is shorter than 16 characters; it can be guessed"
    path = bootstrap.database_path(settings)
    if path is not None and not path.exists():
        yield "ok", "no database yet: `aquatint serve` will make it, with a first key"


def _webhooks(settings: Settings) -> Iterator[Finding]:
    bootstrap.build_sender(settings, bootstrap.build_door(settings))
    if not settings.webhooks.secret:
        yield (
            "warn",
            "callbacks are not signed; set AQUATINT_WEBHOOKS__SECRET (whsec_ and base64 of 24 bytes or more)",
        )
    if not settings.net.allow:
        yield "ok", "private addresses are out of reach for references and callbacks (AQUATINT_NET__ALLOW opens some)"


def _engines(settings: Settings) -> Iterator[Finding]:
    """A small real picture, through the sandbox: finds missing libraries, memory limits, broken installs."""
    rows = bootstrap.list_engines(settings)
    yield "ok", f"models are served by {', '.join(row.name for row in rows if row.models and row.spec)}"
    keyless = [row.name for row in rows if row.models and not row.spec]
    if keyless:
        yield "ok", f"without a key, so out of use: {', '.join(keyless)}"
    started = time.perf_counter()
    try:
        asyncio.run(bootstrap.try_engine(settings, "studio"))
    except AquatintError as error:
        detail = getattr(error, "detail", "")
        yield "fail", f"the studio engine cannot paint here: {error} {detail}".strip()
    else:
        yield "ok", f"the studio engine painted a small picture in {time.perf_counter() - started:.1f} s"
