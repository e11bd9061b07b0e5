"""The running server, driven from its own description: no 5xx, and every answer as it says (issue point 7)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from support.server import FAST, KEY, NULL_ENGINE, Server

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "20"))
CHECKS = [not_a_server_error, response_schema_conformance, status_code_conformance, content_type_conformance]
WAITLESS = {"Prefer": "respond-async"}  # or pictures would be waited for, also in a lane that is paused
SIMPLE = ("listModels", "getAccount", "listLanes", "listOpenAIModels")  # they take nothing that could be varied


def bounded(name: str) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=3 if name in SIMPLE else EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for these tests alone, on each database: they may well pause a lane."""
    env = {**NULL_ENGINE, **FAST}
    if request.param == "postgresql":
        env["AQUATINT_DATABASE__URL"] = request.getfixturevalue("postgres").database()
    with Server(tmp_path_factory.mktemp("fuzz"), env) as made:
        yield made


@pytest.fixture(scope="module")
def description(server: Server) -> Any:
    return schemathesis.openapi.from_url(f"{server.base_url}/openapi.json")


OPERATIONS = [
    *("submitTask", "queryTask", "cancelTask", "listDeliveries", "redeliver", "listTasks"),
    *("traceTask", "uploadFile", "getFile", "listModels", "getAccount"),
    *("replayDeliveries", "listLanes", "pauseLane", "resumeLane"),
    *("deleteTask", "getOverview"),
    *("createImage", "editImage", "listOpenAIModels", "getOpenAIModel"),
]
ENDLESS = ("followTask", "followKey")  # test_events.py drives them: a stream has no end to wait for


def test_every_operation_is_driven(description: Any) -> None:
    """An operation added to the description must be added here."""
    found = [result.ok().definition.raw["operationId"] for result in description.get_all_operations()]
    assert sorted(found) == sorted([*OPERATIONS, *ENDLESS])


@pytest.mark.parametrize("mode", ["positive", "negative"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_operation(description: Any, name: str, mode: str) -> None:
    """What the description allows and what it forbids: both get a documented answer."""
    if (name, mode) == ("getFile", "negative"):
        pytest.skip("every text is a token and a name: nothing to get wrong")
    operation = description.find_operation_by_id(name)
    cases = operation.as_strategy(generation_mode=schemathesis.GenerationMode(mode))
    calls = 0

    @bounded(name)
    @hypothesis.given(case=cases)
    def drive(case: Any) -> None:
        nonlocal calls
        calls += 1
        response = case.call(headers={"Authorization": f"Bearer {KEY}", **WAITLESS})
        if response.status_code in (404, 405) and case.path_parameters:
            return  # a generated path parameter may make another path, which the description does not know
        case.validate_response(response, checks=CHECKS)

    drive()
    assert calls > 0
