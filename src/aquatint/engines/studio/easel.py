"""The circumstances of one painting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Easel:
    """The circumstances of one painting."""

    width: int  # output pixels
    height: int
    seed: int  # 0..2**63-1; the only source of randomness
    strength: float = 1.0  # 0.45 (slightly) .. 1.6 (extremely)
    threads: int = 2  # threads a kernel may use; the result never depends on it
    options: Mapping[str, object] = field(default_factory=dict)  # style parameters from the plan, such as palette
    progress: Callable[[float, str], None] = lambda fraction, stage: None
