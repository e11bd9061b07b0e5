"""A sheet of several pictures: justified rows on paper, each picture cut so that its subject stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from aquatint.engines.studio.finish.crop import fit
from aquatint.engines.studio.kernels.noise import generator, paper_grain
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import cover
from aquatint.engines.studio.styles.base import Easel, Rgb8

_PAPER = np.array([246, 243, 236], np.float32)
_SHADOW = 0.16
_NEAR_BEST = 0.22  # layouts that cost up to this more than the best are chosen from by seed


@dataclass(frozen=True, slots=True)
class Cell:
    """Where one picture lies on the sheet, in pixels."""

    left: int
    top: int
    width: int
    height: int


def compose(pictures: Sequence[Rgb8], easel: Easel, index: int = 0) -> Rgb8:
    """Lay pictures out on a sheet of exactly the easel's size.

    They keep their order in the first sheet of a task (`index` 0); further sheets shuffle it.
    """
    if index:
        order = [int(number) for number in generator(easel.seed, "order").permutation(len(pictures))]
        if order == sorted(order):  # a shuffle that changed nothing
            order = [*order[index % len(order) :], *order[: index % len(order)]]
        pictures = [pictures[number] for number in order]
    gutter = max(2, round(0.014 * min(easel.width, easel.height)))
    cells = layout([p.shape[1] / p.shape[0] for p in pictures], easel.width, easel.height, gutter, easel.seed)
    canvas = _paper(easel)
    _cast_shadows(canvas, cells, gutter)
    for number, (picture, cell) in enumerate(zip(pictures, cells, strict=True)):
        easel.progress(number / len(pictures), "laying out the sheet")
        cut = cover(fit(picture, cell.width, cell.height).image, cell.width, cell.height)
        canvas[cell.top : cell.top + cell.height, cell.left : cell.left + cell.width] = cut
    return canvas


def layout(ratios: Sequence[float], width: int, height: int, gutter: int, seed: int) -> list[Cell]:
    """Cells for pictures of these ratios (width / height), in rows or in columns that fill the sheet exactly.

    Every way to break the sequence is weighed by how far pictures must be cut and how uneven their sizes get; the
    seed chooses among the ways that are about as good as the best.
    """
    inside_w, inside_h = max(len(ratios), width - 2 * gutter), max(len(ratios), height - 2 * gutter)
    ways: list[tuple[float, list[Cell]]] = []
    for rows in _breaks(len(ratios)):
        ways.append(_filled(rows, list(ratios), inside_w, inside_h, gutter))
        turned_cost, turned = _filled(rows, [1 / r for r in ratios], inside_h, inside_w, gutter)
        ways.append((turned_cost, [Cell(c.top, c.left, c.height, c.width) for c in turned]))
    ways.sort(key=lambda way: way[0])
    good = [cells for cost, cells in ways if cost <= ways[0][0] + _NEAR_BEST]
    chosen = good[int(generator(seed, "sheet").integers(len(good)))]
    return [Cell(cell.left + gutter, cell.top + gutter, cell.width, cell.height) for cell in chosen]


def _breaks(count: int) -> Iterator[list[tuple[int, int]]]:
    """All ways to cut 0..count into consecutive runs; beyond 10 pictures only nearly even ones."""
    if count > 10:
        for rows in range(2, count):
            edges = [round(i * count / rows) for i in range(rows + 1)]
            yield list(pairwise(edges))
        return
    for mask in range(1 << (count - 1)):
        edges = [0, *(i + 1 for i in range(count - 1) if mask >> i & 1), count]
        yield list(pairwise(edges))


def _filled(
    rows: list[tuple[int, int]], ratios: list[float], width: int, height: int, gutter: int
) -> tuple[float, list[Cell]]:
    """Cost and cells of one way: rows as high as their pictures want, then all stretched to fill the height."""
    natural = [max(1.0, width - gutter * (b - a - 1)) / sum(ratios[a:b]) for a, b in rows]
    room = max(float(len(rows)), height - gutter * (len(rows) - 1))
    stretch = room / sum(natural)
    edges = np.round(np.cumsum([0.0, *natural]) * stretch).astype(int)
    cells = []
    for number, (a, b) in enumerate(rows):
        top = int(edges[number]) + gutter * number
        tall = max(1, int(edges[number + 1] - edges[number]))
        open_width = max(b - a, width - gutter * (b - a - 1))
        shares = np.cumsum([0.0, *ratios[a:b]]) / sum(ratios[a:b])
        lefts = np.round(shares * open_width).astype(int)
        for place in range(b - a):
            wide = max(1, int(lefts[place + 1] - lefts[place]))
            cells.append(Cell(int(lefts[place]) + gutter * place, top, wide, tall))
    areas = np.array([cell.width * cell.height for cell in cells], np.float64)
    uneven = float(np.std(np.log(areas)))
    return abs(float(np.log(stretch))) + 0.45 * uneven, cells


def _paper(easel: Easel) -> Rgb8:
    grain = paper_grain(easel.height, easel.width, easel.seed)
    canvas = np.empty((easel.height, easel.width, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        tooth = 1 + np.clip(grain.rows(top, bottom), -3, 3)[..., None] * np.float32(0.008)
        canvas[top:bottom] = np.clip(_PAPER * tooth + 0.5, 0, 255)

    run_strips(strip, easel.height, easel.threads)
    return canvas


def _cast_shadows(canvas: Rgb8, cells: Sequence[Cell], gutter: int) -> None:
    """A soft shadow below and right of every picture."""
    height, width = canvas.shape[:2]
    shrink = max(1, gutter // 8)
    mask = np.zeros((-(-height // shrink), -(-width // shrink)), np.uint8)
    for cell in cells:
        left, top = (cell.left + gutter // 5) // shrink, (cell.top + gutter // 4) // shrink
        right, bottom = left + cell.width // shrink, top + cell.height // shrink
        cv2.rectangle(mask, (left, top), (right, bottom), 255, -1)
    soft = cv2.GaussianBlur(mask, (0, 0), max(0.6, gutter * 0.22 / shrink))
    soft = cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)
    for top in range(0, height, 256):
        part = canvas[top : top + 256]
        shade = 1 - soft[top : top + 256, :, None] * np.float32(_SHADOW / 255)
        part[:] = (part * shade + np.float32(0.5)).astype(np.uint8)
