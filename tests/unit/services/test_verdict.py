"""Verdict: what an attempt comes to. Retries, other routes, outcomes and the words that go with them."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest

from aquatint.catalog.models import ModelSpec, Route
from aquatint.domain.call import KeptImage
from aquatint.domain.errors import (
    BalanceExhausted,
    Broken,
    ContentRefused,
    EngineError,
    EngineRateLimited,
    InputRefused,
    Misconfigured,
    OutcomeUnknown,
    TimedOut,
    Unavailable,
)
from aquatint.domain.size import Size
from aquatint.domain.task import ClaimedTask, Status, TaskInput
from aquatint.engines.base import EngineSpec
from aquatint.services import verdict
from aquatint.services.job import Made, Run
from aquatint.services.keep import ResultWaits
from aquatint.services.purchase import Elsewhere, NothingLeft, NotLetThrough, Unanswered
from aquatint.services.references import ReferenceUnavailable
from aquatint.services.route import RouteRules, RouteService
from aquatint.services.verdict import Again, StoreAway

FIRST, SECOND = Route("one", "m-1"), Route("two", "m-2")
MOST = 3


class Named:
    """Of an engine only its name is looked at here."""

    def __init__(self, name: str) -> None:
        self.spec = EngineSpec(name, "", "1", local=False, concurrency=1)


def routes(*, fallback: bool = False) -> RouteService:
    engines: Any = {name: Named(name) for name in ("one", "two")}
    return RouteService(engines, RouteRules(fallback, False))


def model(**more: Any) -> ModelSpec:
    fields: dict[str, Any] = {
        "name": "m",
        "title": "",
        "family": "",
        "ratios": ("1:1",),
        "resolutions": ("2k",),
        "default_ratio": "1:1",
        "default_resolution": "2k",
        "n_max": 8,
        "references_min": 0,
        "references_max": 8,
        "references_plus_n_max": None,
        "points": 3,
        "sizes": {"2k": {"1:1": Size(1, 1)}},
        "routes": (FIRST, SECOND),
    }
    return ModelSpec(**{**fields, **more})


def run_of(*, n: int = 1, failures: int = 0, asked: bool = False, failed: tuple[str, ...] = (), **more: Any) -> Run:
    claimed = ClaimedTask(
        no=1,
        id="t",
        key_id="k",
        model="m",
        input=TaskInput("x", n=n, fallback=asked, notes=("a note",)),
        attempt=1,
        failures=failures,
        progress=0.0,
        created_at=0,
        deadline_at=1,
        echo=msgspec.Raw(b"{}"),
        callback_url=None,
        user_id=None,
        lane="one",
        failed_routes=failed,
    )
    run = Run(claimed, 0)
    run.model, run.route, run.engine = model(**more), FIRST, "one/m-1"
    return run


def kept(index: int = 0, media_type: str = "image/png") -> KeptImage:
    return KeptImage(index, f"{index:064}", media_type, 10, 20, 30, 40 + index)


def made(*errors: EngineError, images: int = 0) -> Made:
    return Made(tuple(kept(i) for i in range(images)), (), errors)


def again(
    run: Run, *errors: EngineError, images: int = 0, remote: bool = True, fallback: bool = False
) -> Again | None:
    return verdict.again(run, made(*errors, images=images), MOST, remote, routes(fallback=fallback))


PASSING = [Unavailable("x"), Broken("x"), TimedOut("x"), ReferenceUnavailable("x"), Unanswered("x", charged=True)]
FINAL = [
    InputRefused("x"),
    ContentRefused("x"),
    BalanceExhausted("x"),
    Misconfigured("x"),
    NotLetThrough("x"),
    NothingLeft("x"),
    OutcomeUnknown("x", charged=True),
    Broken("x", charged=True),
]


def kind(error: EngineError) -> str:
    return f"{type(error).__name__}{'-charged' if error.charged else ''}"


# again: on the same engine


@pytest.mark.parametrize("remote", [False, True])
@pytest.mark.parametrize("error", PASSING, ids=kind)
def test_passing_errors_are_tried_so_often(error: EngineError, remote: bool) -> None:
    """A passing error is tried again until the task's runs are used up, and each try counts."""
    for failures in range(MOST - 1):
        assert again(run_of(failures=failures), error, remote=remote) == Again(error, counted=True)
    assert again(run_of(failures=MOST - 1), error, remote=remote) is None


@pytest.mark.parametrize("error", FINAL, ids=kind)
def test_final_errors_are_not_tried_again(error: EngineError) -> None:
    """Nothing that another run cannot mend, or that may have been billed, runs again."""
    assert again(run_of(), error) is None


def test_slow_down_is_uncounted_for_a_provider() -> None:
    """A provider may ask to slow down as often as it likes; an engine of this machine may not."""
    error = EngineRateLimited("x", retry_after=9.0)
    assert again(run_of(failures=MOST + 7), error) == Again(error)
    assert again(run_of(failures=MOST - 1), error, remote=False) is None
    assert again(run_of(), error, remote=False) == Again(error, counted=True)


@pytest.mark.parametrize("others", [(), (ContentRefused("x"),), (Broken("x", charged=True),)], ids=str)
def test_a_result_that_waits_is_waited_for(others: tuple[EngineError, ...]) -> None:
    """A paid result is asked for again, uncounted and soon, whatever else there is, and never by another route."""
    waits = ResultWaits("x")
    run = run_of(n=3, failures=MOST + 7, asked=True)
    assert again(run, *others, waits, images=1, fallback=True) == Again(waits, verdict.WAIT)


def test_a_store_that_is_away_is_waited_for() -> None:
    """It is no fault of the task, which may have no run left."""
    away = StoreAway("x")
    assert again(run_of(failures=MOST + 7), away) == Again(away, verdict.WAIT)


def test_elsewhere_without_a_route_left() -> None:
    """A task that has nowhere to go waits on, uncounted."""
    error = Elsewhere("x")
    assert again(run_of(failures=MOST + 7), error) == Again(error)


def test_an_ambiguous_answer_is_sent_again_only_by_the_operators_wish() -> None:
    """An unknown outcome runs again where the operator would rather pay twice, and it counts."""
    error = OutcomeUnknown("x", charged=True)
    assert again(run_of(resend_ambiguous=True), error) == Again(error, counted=True)
    assert again(run_of(resend_ambiguous=True, failures=MOST - 1), error) is None


def test_the_rest_of_a_task_is_tried_again() -> None:
    """A task with some images runs again for those that a passing error has kept from it."""
    error = Unavailable("x")
    assert again(run_of(n=2), ContentRefused("x"), error, images=1) == Again(error, counted=True)


@pytest.mark.parametrize("error", [Broken("x"), ResultWaits("x"), Unanswered("x", charged=True)], ids=kind)
def test_a_whole_task_does_not_run_again(error: EngineError) -> None:
    """A task that has all its images is done, whatever error was met on the way."""
    assert again(run_of(n=2), error, images=2) is None


def test_an_attempt_without_a_model() -> None:
    """A model that is no longer offered ends the task."""
    run = run_of(asked=True)
    run.model = run.route = None
    assert again(run, Misconfigured("x"), fallback=True) is None


# again: by another route

MOVABLE = [Misconfigured("x"), BalanceExhausted("x"), NotLetThrough("x"), NothingLeft("x"), Elsewhere("x")]


@pytest.mark.parametrize(("asked", "fallback"), [(True, False), (False, True), (True, True)])
@pytest.mark.parametrize("error", MOVABLE, ids=kind)
def test_another_route_takes_a_task(error: EngineError, asked: bool, fallback: bool) -> None:
    """When the caller has asked for it or the operator set it, the next route takes the task at once."""
    found = again(run_of(asked=asked), error, fallback=fallback)
    assert found == Again(error, 0.0, lane="two", failed_routes=("one/m-1",))


@pytest.mark.parametrize("error", MOVABLE[:-1], ids=kind)
def test_nobody_asked_for_another_route(error: EngineError) -> None:
    """Unasked, a task ends where it failed."""
    assert again(run_of(), error) is None


@pytest.mark.parametrize("error", [Unavailable("x"), Broken("x"), TimedOut("x")], ids=kind)
def test_a_passing_error_moves_the_task_in_the_end(error: EngineError) -> None:
    """First it is tried again here; when its runs are used up the next route takes it."""
    assert again(run_of(asked=True), error) == Again(error, counted=True)
    moved = again(run_of(asked=True, failures=MOST - 1), error)
    assert moved == Again(error, 0.0, lane="two", failed_routes=("one/m-1",))


NEVER = [
    InputRefused("x"),
    ContentRefused("x"),
    ReferenceUnavailable("x"),
    OutcomeUnknown("x", charged=True),
    Broken("x", charged=True),
    Misconfigured("x", charged=True),
    Unanswered("x", charged=True),
]


@pytest.mark.parametrize("error", NEVER, ids=kind)
def test_never_by_another_route(error: EngineError) -> None:
    """Not what may have been billed, nor what no other provider would take either."""
    assert again(run_of(asked=True, failures=MOST - 1), error, fallback=True) is None


@pytest.mark.parametrize("order", list(itertools.permutations(range(2))), ids=str)
def test_one_charge_is_enough_to_stay(order: tuple[int, int]) -> None:
    """One call that may have been billed keeps the whole task where it is."""
    errors = (Misconfigured("x"), OutcomeUnknown("x", charged=True))
    assert again(run_of(n=2, asked=True), *(errors[i] for i in order), fallback=True) is None


@pytest.mark.parametrize("error", MOVABLE[:-1], ids=kind)
def test_images_that_were_made_keep_a_task(error: EngineError) -> None:
    """A task that has an image of one provider does not get the others from another."""
    assert again(run_of(n=2, asked=True), error, images=1, fallback=True) is None


def test_every_route_once() -> None:
    """A route that has failed is not tried again; when all have, the task ends."""
    assert again(run_of(asked=True, failed=("two/m-2",)), MOVABLE[0]) is None


def test_another_model_of_the_same_engine_is_another_route() -> None:
    """Routes are told apart by engine and remote model together."""
    run = run_of(asked=True, routes=(FIRST, Route("one", "m-9")))
    assert again(run, MOVABLE[0]) == Again(MOVABLE[0], 0.0, lane="one", failed_routes=("one/m-1",))


# told


@pytest.mark.parametrize("mend", [ContentRefused("x"), InputRefused("x")], ids=kind)
def test_what_the_caller_can_mend_is_told_first(mend: EngineError) -> None:
    """Before money, before all else."""
    charged, other = Broken("x", charged=True), Unavailable("x")
    for errors in itertools.permutations((mend, charged, other)):
        assert verdict.told(errors) is mend


def test_what_may_have_cost_money_is_told_next() -> None:
    """Then what may have been billed, then the first."""
    charged, one, two = OutcomeUnknown("x", charged=True), Unavailable("x"), Misconfigured("x")
    assert verdict.told((one, charged, two)) is charged
    assert verdict.told((two, one)) is two
    assert verdict.told(()) is None


# outcome


def outcome(run: Run, what: Made) -> verdict.Outcome:
    return verdict.outcome(run, what, lambda: 77)


@pytest.mark.parametrize("error", [*PASSING, *FINAL], ids=kind)
def test_no_image_is_a_failure_that_says_why(error: EngineError) -> None:
    """FAILURE has the error's reason and plain words; the detail is the operator's; nothing is charged."""
    error.detail = "inner"
    found = outcome(run_of(), made(error))
    assert found.status is Status.FAILURE
    assert (found.failure_reason, found.failure_message, found.detail) == (error.failure_reason, "x", "inner")
    assert (found.result, found.points, found.warnings) == (None, 0, ("a note",))


def test_no_image_and_no_error_is_a_failure() -> None:
    """SUCCESS is never said without an image."""
    found = outcome(run_of(), made())
    assert (found.status, found.failure_reason, bool(found.failure_message)) == (Status.FAILURE, None, True)


def test_a_whole_success() -> None:
    """Images in order with names of their format, points for each, the notes of the submit, and no warning."""
    run = run_of(n=3)
    images = (kept(0), kept(1, "image/jpeg"), kept(2, "image/webp"))
    found = outcome(run, Made(images, ("made so", "made so")))
    assert (found.status, found.engine, found.points) == (Status.SUCCESS, "one/m-1", 9)
    assert found.warnings == ("a note", "made so")
    assert found.result is not None
    assert [image.name for image in found.result.images] == ["1.png", "2.jpg", "3.webp"]
    assert [image.seed for image in found.result.images] == [40, 41, 42]
    assert len({image.token for image in found.result.images}) == 3
    assert found.result.expires_at == 77


def test_a_partial_success_says_what_is_missing() -> None:
    """Survivors are a success, charged for themselves, with a warning that counts the rest and says why."""
    found = outcome(run_of(n=4), made(Unavailable("busy"), ContentRefused("refused"), images=2))
    assert (found.status, found.points) == (Status.SUCCESS, 6)
    assert found.warnings == ("a note", "2 of 4 images could not be made: refused")


def test_a_partial_success_without_a_cause() -> None:
    """Without an error the warning only counts."""
    assert outcome(run_of(n=2), made(images=1)).warnings == ("a note", "1 of 2 images could not be made")


def test_a_success_by_another_route_says_so() -> None:
    """The caller reads who served the task, and after whom."""
    found = outcome(run_of(failed=("zero/m-0", "half/m")), made(images=1))
    assert found.warnings == ("a note", "one/m-1 served this task after zero/m-0, half/m failed")
