"""Every installed engine that can work here keeps the promises of the port."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from aquatint.engines import registry
from aquatint.engines.base import Engine, EngineContext
from aquatint.sandbox.limits import Limits
from aquatint.sandbox.pool import Sandbox
from aquatint.testing import conformance

PAINTERS = [name for name in sorted(registry.installed()) if name != "null"]


@pytest.fixture(params=PAINTERS)
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    """The engine, open, with a sandbox of its own."""
    sandbox = Sandbox(2, Limits())
    await sandbox.open()
    name: str = request.param
    built = registry.build(frozenset({name}), lambda _: EngineContext(sandbox, {}, 2), allow_testing=False)[name]
    await built.open()
    yield built
    await built.close()
    await sandbox.close()


@pytest.mark.parametrize(
    "check",
    [
        conformance.check_modes,
        conformance.check_sizes,
        conformance.check_count,
        conformance.check_seed,
        conformance.check_progress,
        conformance.check_cancel,
        conformance.check_refusals,
    ],
    ids=lambda check: check.__name__,
)
async def test_promise(engine: Engine, check: object) -> None:
    """One promise of the port, tried for real."""
    assert callable(check)
    await check(engine)


async def test_the_checks_catch_a_fake() -> None:
    """An engine that ignores the size, repeats itself and swallows broken references passes none of them."""
    null = registry.build(frozenset({"null"}), _no_sandbox, allow_testing=True)["null"]
    for check in (conformance.check_modes, conformance.check_count, conformance.check_refusals):
        with pytest.raises(AssertionError):
            await check(null)


def _no_sandbox(name: str) -> EngineContext:
    return EngineContext(Sandbox(1, Limits()), {}, 1)
