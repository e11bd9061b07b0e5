"""Every style and scene still paints what it painted when somebody last looked at it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pictures_of_record import RECORD, SCENES, distance, names, numbers, paint

from aquatint.engines.studio import registry

# Other processors and library versions move single pixels by a level, which turns few bits of a hash and no mean.
HASH_TOLERANCE = 0.06
MEAN_TOLERANCE = 3.0
RECORDED = json.loads(RECORD.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", names())
def test_picture_of_record(name: str) -> None:
    """Its difference hash and its mean colour are those on record; `python pictures_of_record.py` renews them."""
    now, then = numbers(paint(name)), RECORDED[name]
    assert distance(now["dhash"], then["dhash"]) <= HASH_TOLERANCE
    assert np.abs(np.subtract(now["mean"], then["mean"])).max() <= MEAN_TOLERANCE


def test_record_is_complete() -> None:
    """A new style or scene comes with its picture of record, and none is kept of what is gone."""
    assert sorted(RECORDED) == names()
    assert sorted(SCENES) == sorted(registry.scene_names())


def test_pictures_of_record_are_all_different() -> None:
    """No two scenes and no two styles share their numbers, so a mix-up cannot pass."""
    kept = [(entry["dhash"], tuple(entry["mean"])) for entry in RECORDED.values()]
    assert len(set(kept)) == len(kept)
