"""What fal's models take: one schema a family, and a job in its words. Source: fal.ai's model pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aquatint.domain.errors import InputRefused
from aquatint.engines import words
from aquatint.engines.base import GenerationJob

_SEEDS = 2**31  # Seedream's seeds; ours go to 2**63


@dataclass(frozen=True, slots=True)
class Schema:
    """How much one call of a model may hold."""

    most_images: int
    most_references: int = 10


_SEEDREAM = Schema(most_images=6)
_GENERIC = Schema(most_images=1)  # what every model can; the route's `images_per_call` says more


def schema_of(job: GenerationJob) -> Schema:
    """The schema that the route names, else the one of the model's name. Raises Misconfigured for an unknown one."""
    name = job.route.get("schema") or ("seedream" if "/seedream/" in job.remote_model else "")
    if name == "seedream":
        return _SEEDREAM
    most = job.route.get("images_per_call", _GENERIC.most_images)
    if name == "generic" and isinstance(most, int) and most >= 1:
        return Schema(most)
    raise words.misconfigured("schema", f"the route of the fal model {job.remote_model} has no schema that is known")


def refuse(job: GenerationJob, schema: Schema) -> None:
    """Raise InputRefused for what the model cannot be told; on fal, references have an endpoint of their own."""
    if len(job.remote_model.strip("/").split("/")) < 2:
        raise words.misconfigured("model", f"{job.remote_model!r} is not a fal model id: owner/app/path")
    if len(job.references) > schema.most_references:
        raise InputRefused(f"this model takes at most {schema.most_references} reference images here")
    kind = job.remote_model.rstrip("/").rpartition("/")[2]
    if job.references and kind == "text-to-image":
        raise InputRefused("this model takes no reference images here")
    if not job.references and kind == "edit":
        raise words.misconfigured("model", f"the fal model {job.remote_model} edits references, and there are none")


def body_of(job: GenerationJob, images: Sequence[int]) -> dict[str, object]:
    """The model's input object for these images of the job."""
    body: dict[str, object] = {
        "prompt": job.prompt,
        "image_size": {"width": job.width, "height": job.height},
        "num_images": len(images),
    }
    if job.references:
        body["image_urls"] = [words.data_url(reference) for reference in job.references]
    if job.seed is not None:
        # Each call has a seed of its own, or a second call of six would make the first six again.
        body["seed"] = (job.seed + images[0]) % _SEEDS
    return body
