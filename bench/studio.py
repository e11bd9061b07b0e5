"""python -m bench.studio: every style, edit and scene of the studio beside what one would take instead on a CPU.

Each measurement is a process of its own (peak memory is a process's), warmed up on a small picture; rounds go over
all cases, so that a busy minute of the machine hits everybody. Writes bench/STUDIO.md.
"""

from __future__ import annotations

import argparse
import datetime as dt
import io
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "STUDIO.md"
PHOTO = ROOT / "examples" / "photos" / "river-castle.jpg"
SECOND = ROOT / "examples" / "photos" / "dandelions.jpg"
SIZES: Mapping[str, tuple[int, int]] = {"1k": (1280, 720), "2k": (2848, 1600), "4k": (5504, 3040)}
WARM_UP = (320, 180)
SEED = 7
LONGEST = 300  # seconds for one measurement

# Seconds a case may take, by group and size; oil paints every stroke and has more.
GOALS: Mapping[str, Mapping[str, float]] = {
    "style": {"2k": 2, "4k": 4},
    "edit": {"2k": 2, "4k": 4},
    "scene": {"2k": 5, "4k": 10},
}
OIL_GOALS = {"2k": 5.0, "4k": 8.0}

SCENE_PROMPTS: Mapping[str, str] = {
    "landscape": "mountain lake at sunrise",
    "neon_city": "cyberpunk Tokyo street in the rain",
    "city": "a city street by day",
    "sea": "the sea at sunset",
    "abstract": "abstract art",
}
RIVALS = (
    "cv2.stylization",
    "cv2.pencilSketch",
    "cv2.edgePreservingFilter",
    "convert -paint 6",
    "convert -charcoal 4",
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement."""

    wall: float  # seconds, photo in memory to PNG in memory
    cpu: float
    peak_mb: float  # of the whole process


def cases(groups: Iterable[str]) -> list[str]:
    """Names of all cases, as group/name."""
    from aquatint.engines.studio import registry

    found = {
        "style": sorted(registry.style_names()),
        "edit": sorted(registry.edit_names()),
        "scene": sorted(registry.scene_names()),
        "several": ["palette", "surface", "sheet"],
        "rival": [name for name in RIVALS if not name.startswith("convert") or _has_imagemagick()],
    }
    return [f"{group}/{name}" for group in groups for name in found[group]]


def _has_imagemagick() -> bool:
    if not shutil.which("convert"):
        return False
    said = subprocess.run(["convert", "-version"], capture_output=True, text=True, check=False)
    return "ImageMagick" in said.stdout


def job(case: str, size: tuple[int, int]) -> Callable[[], object]:
    """What a case does once, from bytes to bytes."""
    group, name = case.split("/", 1)
    if group == "rival":
        return lambda: rival(name, size)
    return lambda: studio(group, name, size)


def studio(group: str, name: str, size: tuple[int, int]) -> bytes:
    """Render one picture as the engine's worker does."""
    from aquatint.engines.studio import render as painter
    from aquatint.engines.studio.direction import Direction
    from aquatint.engines.studio.messages import RenderRequest
    from aquatint.engines.studio.plan import Wish

    prompts = {"palette": "use the colors of image 2", "surface": "@1 in the style of @2", "sheet": "collage"}
    prompt = SCENE_PROMPTS.get(name, prompts.get(name, name))
    photos = {"scene": 0, "several": 2}.get(group, 1)
    request = RenderRequest(
        prompt=prompt,
        references=(PHOTO.read_bytes(), SECOND.read_bytes())[:photos],
        width=size[0],
        height=size[1],
        seed=SEED,
        index=0,
        model="bench",
        version="0",
        output_format="png",
        strict=False,
        threads=os.cpu_count() or 1,
    )
    if group in ("style", "edit", "scene"):  # by name, whatever words lead there
        wish = (Wish(name, color="blue", target="yellow"),)
        direct = {
            "style": Direction(styles=wish),
            "edit": Direction(edits=wish),
            "scene": Direction(scene=name, sets_text=True),
        }[group]
        return painter.render(request, lambda fraction, stage: None, direct).data
    return painter.render(request, lambda fraction, stage: None).data


def rival(name: str, size: tuple[int, int]) -> bytes:
    """The same work by a ready-made filter: decode, bring to size, filter, encode as PNG."""
    if name.startswith("convert"):
        _, option, value = name.split(" ")
        scale = f"{size[0]}x{size[1]}!"
        command = ["convert", str(PHOTO), "-resize", scale, option, value, "png:-"]
        return subprocess.run(command, check=True, capture_output=True).stdout
    import cv2
    import numpy as np
    from PIL import Image

    source = np.asarray(Image.open(io.BytesIO(PHOTO.read_bytes())).convert("RGB"))
    source = cv2.resize(source, size, interpolation=cv2.INTER_CUBIC)
    if name == "cv2.pencilSketch":
        made = cv2.pencilSketch(source)[1]
    else:
        made = getattr(cv2, name.removeprefix("cv2."))(source)
    return bytes(cv2.imencode(".png", made)[1])


def measure(case: str, size: str) -> Sample:
    """Measure in this process, after a small warm-up."""
    job(case, WARM_UP)()
    used = _cpu()
    started = time.perf_counter()
    job(case, SIZES[size])()
    wall = time.perf_counter() - started
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return Sample(round(wall, 3), round(_cpu() - used, 3), round(peak / 1024, 1))


def _cpu() -> float:
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in usage)


def measure_apart(case: str, size: str) -> Sample:
    """Measure in a new process. Raises RuntimeError with its last words when it fails."""
    command = [sys.executable, "-m", "bench.studio", "--child", case, "--sizes", size]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=LONGEST, check=False)
    if done.returncode:
        raise RuntimeError(f"{case} at {size}: {done.stderr.strip().splitlines()[-1:]}")
    return Sample(**json.loads(done.stdout.strip().splitlines()[-1]))


def goal(case: str, size: str) -> float | None:
    group, name = case.split("/", 1)
    return OIL_GOALS.get(size) if name == "oil" else GOALS.get(group, {}).get(size)


def middle(samples: list[Sample]) -> Sample:
    """Median of each column."""
    columns = [asdict(sample) for sample in samples]
    return Sample(**{key: statistics.median(column[key] for column in columns) for key in columns[0]})


def page(found: Mapping[tuple[str, str], list[Sample]], rounds: int, sizes: list[str]) -> str:
    """The whole of STUDIO.md."""
    circumstances = (
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"{'one round' if rounds == 1 else f'median of {rounds} interleaved rounds'}; each from a photo in memory "
        "(or from words) to a PNG in memory, in a warm process of its own. `make bench-studio` writes this page."
    )
    legend = (
        "`wall s / CPU s / peak MB` of the whole process. **Bold** misses its goal: styles and edits 2 s at 2k and "
        "4 s at 4k (oil 5 and 8), scenes 5 and 10 s."
    )
    lines = [
        "# The studio, measured",
        "",
        circumstances,
        "",
        legend,
        "",
        "| case | " + " | ".join(f"{size} ({SIZES[size][0]}x{SIZES[size][1]})" for size in sizes) + " |",
        "|---|" + "---|" * len(sizes),
    ]
    for case in dict.fromkeys(case for case, _ in found):
        cells = [_cell(case, size, found.get((case, size), [])) for size in sizes]
        lines.append(f"| {case} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(case: str, size: str, samples: list[Sample]) -> str:
    if not samples:
        return ""
    sample = middle(samples)
    text = f"{sample.wall:.2f} / {sample.cpu:.2f} / {sample.peak_mb:.0f}"
    limit = goal(case, size)
    return f"**{text}**" if limit is not None and sample.wall > limit else text


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.studio", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", default="1k,2k,4k", help="comma-separated")
    parser.add_argument("--groups", default="style,edit,scene,several,rival", help="comma-separated")
    parser.add_argument("--only", default="", help="cases whose name contains this; writes no page")
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    sizes = asked.sizes.split(",")
    if asked.child:
        print(json.dumps(asdict(measure(asked.child, sizes[0]))))
        return
    chosen = [case for case in cases(asked.groups.split(",")) if asked.only in case]
    found: dict[tuple[str, str], list[Sample]] = {}
    for number in range(asked.rounds):
        for case in chosen:
            for size in sizes:
                try:
                    sample = measure_apart(case, size)
                except (RuntimeError, subprocess.TimeoutExpired) as error:
                    print(f"left out: {error}", file=sys.stderr)
                    continue
                found.setdefault((case, size), []).append(sample)
                print(
                    f"round {number + 1} {case} {size}: {sample.wall} s, {sample.cpu} CPU s, {sample.peak_mb} MB",
                    flush=True,
                )
    if not asked.only:
        with tempfile.NamedTemporaryFile("w", dir=asked.output.parent, delete=False, encoding="utf-8") as draft:
            draft.write(page(found, asked.rounds, sizes))
        Path(draft.name).replace(asked.output)


if __name__ == "__main__":
    main()
