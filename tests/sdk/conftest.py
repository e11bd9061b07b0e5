"""Clients of a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aquatint_client import Aquatint
from support.sdk import SECRET
from support.server import FAST, KEY, NULL_ENGINE, Server


@pytest.fixture(scope="session")
def plain_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The null engine on SQLite, which takes a moment for each task, so that there is something to wait for."""
    env = {**NULL_ENGINE, **FAST, "AQUATINT_ENGINES__NULL_DELAY": "300ms", "AQUATINT_WEBHOOKS__SECRET": SECRET}
    with Server(tmp_path_factory.mktemp("sdk-server"), env) as server:
        yield server


@pytest.fixture
def aquatint(plain_server: Server) -> Iterator[Aquatint]:
    with Aquatint(plain_server.base_url, KEY) as made:
        yield made


@pytest.fixture(scope="session")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose tasks take an hour each."""
    env = {
        **NULL_ENGINE,
        **FAST,
        "AQUATINT_ENGINES__NULL_DELAY": "1h",
        "AQUATINT_TASKS__IMAGE_DEADLINE": "2h",
        "AQUATINT_WORKER__DRAIN": "0s",
    }
    with Server(tmp_path_factory.mktemp("endless"), env) as server:
        yield server
