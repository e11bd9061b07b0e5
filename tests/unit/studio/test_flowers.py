"""Printed flowers: kinds, forms, colours, depth, sizes, seeds and threads."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from aquatint.engines.studio.arrays import Rgb8
from aquatint.engines.studio.grammar.parse import parse
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.kernels.press import Press
from aquatint.engines.studio.plan import Plan, Subject
from aquatint.engines.studio.scenes import flowers
from aquatint.engines.studio.scenes.bloom.heads import HEADS, Head
from aquatint.engines.studio.scenes.bloom.kinds import choose
from aquatint.engines.studio.styles.base import Easel

SIZE = 224, 126


def paint(subject: Subject, seed: int = 5, size: tuple[int, int] = SIZE, threads: int = 2, **more: object) -> Rgb8:
    plan = replace(Plan(prompt="", subjects=(subject,), time="day", season="summer"), **more)
    return flowers.compose(plan, Easel(*size, seed=seed, threads=threads))


def lab(image: Rgb8) -> np.ndarray:
    return cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


@pytest.mark.parametrize(
    "subject",
    [
        Subject("flower", variant="rose"),
        Subject("flower", variant="lotus"),
        Subject("flower", variant="cherry_blossom"),
        Subject("flower_field", variant="tulip"),
    ],
)
def test_same_bytes_on_one_or_two_threads_and_another_seed_differs(subject: Subject) -> None:
    image = paint(subject)
    assert np.array_equal(image, paint(subject, threads=1))
    assert np.abs(image.astype(int) - paint(subject, seed=6)).mean() > 4


@pytest.mark.parametrize("size", [(203, 131), (117, 209)])
def test_any_size_comes_out_exactly(size: tuple[int, int]) -> None:
    image = paint(Subject("flower_field", variant="tulip"), size=size)
    assert image.shape == (size[1], size[0], 3)
    assert image.dtype == np.uint8


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("a dahlia", "dahlia"),
        ("poppies in a meadow", "poppy"),
        ("一朵荷花", "lotus"),
        ("雏菊", "daisy"),
        ("a lavender field", "lavender"),
        ("樱花树", "cherry_blossom"),
        ("white lilies", "lily"),
    ],
)
def test_the_kind_is_read_from_the_prompt(prompt: str, kind: str) -> None:
    plan = parse(prompt)
    assert choose(plan, plan.subjects[0], generator(1)).kind == kind


def test_without_a_kind_the_season_and_chance_decide() -> None:
    plan = Plan(prompt="a flower", subjects=(Subject("flower"),))
    kinds = {choose(plan, plan.subjects[0], generator(seed)).kind for seed in range(30)}
    assert len(kinds) > 3
    winter = replace(plan, season="winter")
    assert choose(winter, plan.subjects[0], generator(1)).kind == "plum_blossom"


def test_the_colour_asked_for_rules_the_flower() -> None:
    def mean(color: str) -> np.ndarray:
        values = lab(paint(Subject("flower", variant="rose", color=color), time="noon"))
        return values[..., 1:].reshape(-1, 2).mean(axis=0)

    assert mean("red")[0] > mean("blue")[0] + 5
    assert mean("yellow")[1] > mean("blue")[1] + 12


def test_a_field_gets_finer_with_distance() -> None:
    """Energy of fine detail, relative to all detail, is larger in far rows than in near ones."""
    image = paint(Subject("flower_field", variant="tulip"), size=(480, 270))
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)

    def fineness(rows: slice) -> float:
        part = gray[rows]
        fine = part - cv2.GaussianBlur(part, (0, 0), 1.0)
        broad = cv2.GaussianBlur(part, (0, 0), 1.0) - cv2.GaussianBlur(part, (0, 0), 7.0)
        return float(fine.std() / broad.std())

    assert fineness(slice(125, 165)) > 1.15 * fineness(slice(215, 265))


@pytest.mark.parametrize("kind", sorted(HEADS))
def test_every_head_is_round_and_has_petals(kind: str) -> None:
    press = Press.of(120, 120, 2, 1)
    press.wash([(1.0, 1.0, 1.0), (1.0, 1.0, 1.0)])
    head = Head(60, 60, 40, 0.3, 1.0, (0.7, 0.25, 0.3))
    HEADS[kind](press, head, generator(4))
    inked = (press.sheet.astype(int).sum(axis=2) < 720).astype(np.uint8)
    area = int(inked.sum())
    assert 0.4 * np.pi * 40**2 < area < 1.25 * np.pi * 40**2
    assert not inked[:8].any()
    colors = press.sheet[inked > 0].astype(float)
    assert colors.std(axis=0).max() > 14  # modelled, not one flat shape
