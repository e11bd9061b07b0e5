"""Verdict: what an attempt comes to, another run or an outcome. Plain values in and out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aquatint.catalog.models import ModelSpec
from aquatint.domain.errors import Broken, EngineError, EngineRateLimited, OutcomeUnknown, Unavailable
from aquatint.domain.task import Micros, Result, ResultImage, Status
from aquatint.services.job import Made, Run, need_of
from aquatint.services.keep import ResultWaits
from aquatint.services.purchase import Elsewhere, Unanswered
from aquatint.services.references import ReferenceUnavailable
from aquatint.services.route import RouteService
from aquatint.services.settle import Outcome
from aquatint.services.tools import new_token

EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
WAIT = 5.0  # seconds until a paid result that could not be fetched, or the store, is asked again


class StoreAway(Unavailable):
    """The store refused in the middle of a run. That is no fault of the task, and costs it none of its runs."""


@dataclass(frozen=True, slots=True)
class Again:
    """Another run, after `error`: `wait` seconds from now at the earliest (None: the usual wait of a retry).

    `counted` says whether it uses up one of the task's runs. With a `lane` another engine takes the task.
    """

    error: EngineError
    wait: float | None = None
    counted: bool = False
    lane: str | None = None
    failed_routes: tuple[str, ...] = ()


def again(run: Run, made: Made, max_attempts: int, remote: bool, route: RouteService) -> Again | None:
    """Whether the task runs again, and how; None when this run was its last.

    What is missing is tried again on the same engine while that may help. Then another route may take the task, but
    only when nothing was made yet and nothing can have been billed.
    """
    if len(made.images) >= run.claimed.input.n:
        return None
    waits = next((error for error in made.errors if isinstance(error, ResultWaits | StoreAway)), None)
    if waits is not None:
        return Again(waits, WAIT)
    error = _retryable(run, made)
    if error is not None and not isinstance(error, Elsewhere):
        if remote and isinstance(error, EngineRateLimited):
            return Again(error)  # it waits its turn, however often the provider says so
        if run.claimed.failures + 1 < max_attempts:
            return Again(error, counted=True)
    other = _other_route(run, made, route)
    if other is None and isinstance(error, Elsewhere):
        return Again(error)
    return other


def _retryable(run: Run, made: Made) -> EngineError | None:
    """The error that another run on the same engine may mend."""
    resend = run.model is not None and run.model.resend_ambiguous
    for error in made.errors:
        if error.retryable and (not error.charged or isinstance(error, Unanswered)):
            return error
        if resend and isinstance(error, OutcomeUnknown):
            return error
    return None


def _other_route(run: Run, made: Made, route: RouteService) -> Again | None:
    error = told(made.errors)
    if error is None or made.images or run.model is None or run.route is None:
        return None
    if isinstance(error, ReferenceUnavailable) or any(error.charged for error in made.errors):
        return None
    failed = (*run.claimed.failed_routes, run.route.name)
    following = route.next(run.model, need_of(run.claimed), failed, run.claimed.input.fallback, error)
    return Again(error, 0.0, lane=following.engine, failed_routes=failed) if following is not None else None


def told(errors: tuple[EngineError, ...]) -> EngineError | None:
    """The error that says most to the caller: what he can mend, then what may have cost money, then the first."""
    return (
        next(
            (error for error in errors if error.failure_reason in ("CONTENT_MODERATION", "INVALID_PARAMETERS")), None
        )
        or next((error for error in errors if error.charged), None)
        or next(iter(errors), None)
    )


def outcome(run: Run, made: Made, expires_at: Callable[[], Micros]) -> Outcome:
    """The end of the task: SUCCESS with whatever was made, else FAILURE."""
    claimed, model = run.claimed, run.model
    if not made.images or model is None:
        error = told(made.errors) or Broken("the engine made no image")
        return Outcome(
            Status.FAILURE,
            failure_reason=error.failure_reason,
            failure_message=error.message,
            detail=error.detail,
            warnings=claimed.input.notes,
        )
    return Outcome(
        Status.SUCCESS,
        engine=run.engine,
        result=Result(_result_images(made), expires_at()),
        warnings=tuple(dict.fromkeys(_warnings(run, made, model))),
        points=model.points * len(made.images),
    )


def _warnings(run: Run, made: Made, model: ModelSpec) -> tuple[str, ...]:
    claimed = run.claimed
    found = (*claimed.input.notes, *made.warnings)
    if claimed.failed_routes:
        found = (*found, f"{run.engine} served this task after {', '.join(claimed.failed_routes)} failed")
    missing = claimed.input.n - len(made.images)
    if missing > 0:
        why = told(made.errors)
        reason = f": {why.message}" if why is not None else ""
        found = (*found, f"{missing} of {claimed.input.n} images could not be made{reason}")
    return found


def _result_images(made: Made) -> tuple[ResultImage, ...]:
    return tuple(
        ResultImage(
            token=new_token(),
            name=f"{place + 1}.{EXTENSIONS[kept.media_type]}",
            digest=kept.digest,
            media_type=kept.media_type,
            width=kept.width,
            height=kept.height,
            bytes=kept.bytes,
            seed=kept.seed,
        )
        for place, kept in enumerate(made.images)
    )
