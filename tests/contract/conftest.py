"""Servers with settings that several contract tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.client import Client
from support.server import FAST, NULL_ENGINE, Server

# What these look at is decided before a database is asked, or comes from both in the same way.
ONE_DATABASE = ("test_openai_dialect", "test_web_door")


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def null_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The shared server on each database."""
    env = {**NULL_ENGINE, **FAST}
    if request.param == "postgresql":
        env["AQUATINT_DATABASE__URL"] = request.getfixturevalue("postgres").database()
    with Server(tmp_path_factory.mktemp("null-server"), env) as server:
        yield server


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The tests of `ONE_DATABASE` run on one."""
    twice = [item for item in items if "[postgresql" in item.name and item.path.stem in ONE_DATABASE]
    config.hook.pytest_deselected(items=twice)
    items[:] = [item for item in items if item not in set(twice)]


@pytest.fixture(scope="session")
def endless_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Runs one task at a time, and each would take an hour: tests look at it and cancel it."""
    env = {
        **NULL_ENGINE,
        **FAST,
        "AQUATINT_ENGINES__NULL_DELAY": "1h",
        "AQUATINT_TASKS__IMAGE_DEADLINE": "2h",
        "AQUATINT_WORKER__CONCURRENCY": "1",
        "AQUATINT_WORKER__DRAIN": "0s",
    }
    with Server(tmp_path_factory.mktemp("endless-server"), env) as server:
        yield server


@pytest.fixture
def endless(endless_server: Server) -> Iterator[Client]:
    """A client of the endless server; whatever a test leaves unfinished is cancelled."""
    with endless_server.client() as made:
        yield made
        for status in ("PENDING", "PROCESSING", "SUBMITTED"):
            for task in made.tasks(status=status, limit=100)["tasks"]:
                made.cancel(task["taskId"])


@pytest.fixture(scope="session")
def studio_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server as it comes: the studio engine paints."""
    with Server(tmp_path_factory.mktemp("studio-server"), dict(FAST)) as server:
        yield server


@pytest.fixture
def studio(studio_server: Server) -> Iterator[Client]:
    with studio_server.client() as made:
        yield made
