"""Fixtures that every test may use, and the server's log beside every failure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path

import pytest
import uvloop
from PIL import Image

from support.client import Client
from support.postgres import Postgres, running
from support.receiver import ThreadedReceiver
from support.reports import sendable
from support.server import FAST, NULL_ENGINE, Server, ServerFactory, ServerSet

PIXELS = Image.MAX_IMAGE_PIXELS


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests run on the loop that the server runs on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def null_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server on the null engine for all tests that only look at the house around the engine."""
    with Server(tmp_path_factory.mktemp("null-server"), {**NULL_ENGINE, **FAST}) as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of this test process."""
    yield from running()


@pytest.fixture(autouse=True)
def default_limit_of_pixels() -> Iterator[None]:
    """Code that runs in processes of its own sets Pillow's limit, and some tests run it here."""
    yield
    Image.MAX_IMAGE_PIXELS = PIXELS


@pytest.fixture
def client(null_server: Server) -> Iterator[Client]:
    """A client of the shared server with its standing key."""
    with null_server.client() as made:
        yield made


@pytest.fixture
def server_with(tmp_path: Path) -> Iterator[ServerFactory]:
    """`server_with(AQUATINT_X__Y="...")` starts a server on the null engine with these settings, for one test."""
    with ServerSet(tmp_path) as servers:
        yield servers.start


@pytest.fixture
def receiver() -> Iterator[ThreadedReceiver]:
    """A receiver of callbacks on the loopback."""
    with ThreadedReceiver() as made:
        yield made


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, None]:
    """Put the end of every used server's log beside the failure."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if not report.failed:
        return
    for value in getattr(item, "funcargs", {}).values():
        starter = getattr(value, "__self__", None)
        servers = starter.servers if isinstance(starter, ServerSet) else [value]
        for server in servers:
            if isinstance(server, Server):
                report.sections.append((f"log of aquatint serve on port {server.port}", server.log_tail()))


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, object, object]:
    """What a worker process tells of a test must reach the process that counts, whatever stands in it."""
    return sendable((yield))
