"""Edge: up to which event the history is complete, when ids are taken before they are committed."""

from __future__ import annotations

from aquatint.domain.history import Edge


class Settled:
    """Remembers one edge of the past until every transaction that was open there has ended."""

    def __init__(self) -> None:
        self._mark: Edge | None = None

    @property
    def waits(self) -> bool:
        """Whether a look soon would tell more."""
        return self._mark is not None

    def step(self, now: Edge) -> int | None:
        """The id up to which nothing can be missing any more; None when this look tells nothing new.

        Every id up to an edge was taken by a transaction that had ended by then or was open there. So the past edge
        is complete as soon as none of those is still open, however many others are by now.
        """
        past, self._mark = self._mark, now if now.open else None
        if not now.open:
            return now.newest
        if past is None or not past.open & now.open:
            return past.newest if past is not None else None
        self._mark = past
        return None
