"""Fair turns: how the tasks of many keys take turns in one lane, whatever one of them submits.

Start-time fair queuing (Goyal, Vin, Cheng 1996): a task's turn is the virtual time at which its key would be served
if every key had its weight of the lane; the lane's virtual time is the turn of what was taken last.
"""

from __future__ import annotations

UNIT = 1000  # virtual time of one image at weight 1
LEAST_WEIGHT = 0.001


def cost(images: int, weight: float) -> int:
    """How far a task moves its key's next turn."""
    return max(1, round(UNIT * images / max(weight, LEAST_WEIGHT)))


class Turns:
    """The turns of all lanes of one process that is alone with its database."""

    def __init__(self) -> None:
        self._now: dict[str, int] = {}  # virtual time by lane
        self._next: dict[str, dict[str, int]] = {}  # by lane and key: where the key's next task starts

    def take(self, lane: str, key_id: str, cost: int) -> int:
        """The turn of a new task."""
        keys = self._next.setdefault(lane, {})
        turn = max(self._now.get(lane, 0), keys.get(key_id, 0))
        keys[key_id] = turn + cost
        return turn

    def served(self, lane: str, turn: int) -> None:
        """A task with this turn was taken."""
        now = self._now[lane] = max(self._now.get(lane, 0), turn)
        keys = self._next.get(lane, {})
        if len(keys) > 1000:  # keys that have not waited for long start at the virtual time anyway
            self._next[lane] = {key: start for key, start in keys.items() if start > now}

    def restore(self, lane: str, now: int, keys: dict[str, int]) -> None:
        """What a lane's waiting tasks say after a restart."""
        self._now[lane] = now
        self._next[lane] = dict(keys)
