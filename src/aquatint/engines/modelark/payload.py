"""What is sent: a job as Ark's request, and what cannot be said to Ark at all."""

from __future__ import annotations

from collections.abc import Sequence

from aquatint.domain.errors import InputRefused
from aquatint.engines.base import GenerationJob
from aquatint.engines.modelark.models import FAMILIES, MAX_ASPECT, MAX_SEED, MOST_IN_GROUP, UNKNOWN, Family
from aquatint.engines.remote import Call
from aquatint.engines.words import data_url, misconfigured

_FORMATS = {"png": "png", "jpeg": "jpeg", "jpg": "jpeg"}


def wants_group(job: GenerationJob) -> bool:
    return job.options.get("sequential_image_generation") == "auto"


def split(job: GenerationJob, images: Sequence[int], family: Family) -> list[tuple[int, ...]]:
    """One call for each image, since single images fail and are paid one by one; a group only where it was asked for.

    Raises InputRefused, and Misconfigured when the route names no model or no family that there is.
    """
    if not job.remote_model:
        raise misconfigured("", "the catalog's route to modelark names no model")
    if job.route.get("family") and family is UNKNOWN:
        raise misconfigured(
            "", f"the catalog's route to modelark names a family that is none of {', '.join(FAMILIES)}"
        )
    _check(job, family)
    if not (wants_group(job) and family.group and len(images) > 1):
        return [(image,) for image in images]
    if len(job.references) + len(images) > MOST_IN_GROUP:
        raise InputRefused(f"a group has room for {MOST_IN_GROUP} references and images together")
    return [tuple(images)]


def _check(job: GenerationJob, family: Family) -> None:
    if len(job.references) > family.references:
        raise InputRefused(
            f"this model takes at most {family.references} reference images"
            if family.references
            else "this model takes no reference images"
        )
    pixels = job.width * job.height
    if not family.min_pixels <= pixels <= family.max_pixels:
        raise InputRefused(f"this model makes no images of {job.width}x{job.height} pixels")
    if max(job.width, job.height) > MAX_ASPECT * min(job.width, job.height):
        raise InputRefused(f"no side of an image may be longer than {MAX_ASPECT} times the other")
    if family.seed and job.seed is not None and not 0 <= job.seed <= MAX_SEED:
        raise InputRefused(f"the seed of this model is a number from 0 to {MAX_SEED}")


def payload(job: GenerationJob, call: Call, family: Family, model_id: str, *, watermark: bool) -> dict[str, object]:
    """The body of one paid request."""
    body: dict[str, object] = {
        "model": model_id,
        "prompt": job.prompt,
        "size": f"{job.width}x{job.height}",
        "response_format": "url",  # lives for a day, so that it can be journaled and fetched after a crash
        "watermark": watermark,  # Ark's own default is true
    }
    if job.references:
        body["image"] = [data_url(reference) for reference in job.references]
    wanted = job.options.get("output_format")
    if family.output_format and isinstance(wanted, str) and wanted.lower() in _FORMATS:
        body["output_format"] = _FORMATS[wanted.lower()]
    seed = seed_of(job, call, family)
    if seed is not None:
        body["seed"] = seed
    if len(call.images) > 1:
        body["sequential_image_generation"] = "auto"
        body["sequential_image_generation_options"] = {"max_images": len(call.images)}
        body["stream"] = True
    return body


def seed_of(job: GenerationJob, call: Call, family: Family) -> int | None:
    """Each image of a task has a seed of its own, else they were all the same picture."""
    if not family.seed or job.seed is None:
        return None
    return (job.seed + call.images[0]) % (MAX_SEED + 1)


def warnings(job: GenerationJob, family: Family) -> tuple[str, ...]:
    """What the caller asked for and Ark was not told."""
    found = []
    if job.seed is not None and not family.seed:
        found.append("this model takes no seed: the same seed gives another picture")
    if wants_group(job) and not family.group and job.count > 1:
        found.append("this model makes no groups: each image was made on its own")
    return tuple(found)
