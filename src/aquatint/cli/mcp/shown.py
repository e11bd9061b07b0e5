"""Shown: tasks and pictures as tools answer them, small enough to look at, with links to the whole."""

from __future__ import annotations

import base64
import io

from mcp.types import ContentBlock, ImageContent, ResourceLink, TextContent
from PIL import Image
from pydantic import BaseModel

from aquatint_client import Model, Task

SMALL_ENOUGH = 300_000  # bytes of a picture that is shown as it is
SIDE = 1024  # pixels of the longer side of one that is shown smaller
QUALITY = 85
MOST_PIXELS = 100_000_000
VIEWABLE = ("image/png", "image/jpeg", "image/webp")


class PictureAnswer(BaseModel):
    url: str
    width: int | None
    height: int | None
    media_type: str | None
    bytes: int | None
    seed: str | None  # text, since many clients lose digits of whole numbers that are as large
    saved_as: str | None = None


class TaskAnswer(BaseModel):
    """A task as it stands."""

    task_id: str
    status: str
    model: str | None
    prompt: str | None
    engine: str | None
    progress: float | None
    failure_reason: str | None
    failure_message: str | None
    warnings: list[str]
    pictures: list[PictureAnswer]
    created_at: str | None
    links_expire_at: str | None
    place_in_line: int | None


class TaskList(BaseModel):
    tasks: list[TaskAnswer]


class ModelAnswer(BaseModel):
    name: str
    title: str
    engine: str | None
    ratios: list[str]
    resolutions: list[str]
    most_pictures: int | None
    most_references: int
    points_per_picture: int | None


class ModelAnswers(BaseModel):
    models: list[ModelAnswer]


def task_answer(task: Task, saved: list[str] | None = None) -> TaskAnswer:
    paths: list[str | None] = list(saved) if saved else [None] * len(task.images)
    return TaskAnswer(
        task_id=task.id,
        status=task.status,
        model=task.model,
        prompt=task.prompt,
        engine=task.engine,
        progress=task.progress,
        failure_reason=task.failure_reason,
        failure_message=task.failure_message,
        warnings=list(task.warnings),
        pictures=[
            PictureAnswer(
                url=image.url,
                width=image.width,
                height=image.height,
                media_type=image.media_type,
                bytes=image.size,
                seed=str(image.seed) if image.seed is not None else None,
                saved_as=path,
            )
            for image, path in zip(task.images, paths, strict=True)
        ],
        created_at=task.created_at.isoformat() if task.created_at else None,
        links_expire_at=task.expires_at.isoformat() if task.expires_at else None,
        place_in_line=task.queue.position if task.queue else None,
    )


def model_answer(model: Model) -> ModelAnswer:
    properties = model.parameters.get("properties")
    fields = properties if isinstance(properties, dict) else {}

    def bound(name: str, word: str) -> int | None:
        field = fields.get(name)
        value = field.get(word) if isinstance(field, dict) else None
        return value if isinstance(value, int) else None

    return ModelAnswer(
        name=model.name,
        title=model.title,
        engine=model.engine,
        ratios=list(dict.fromkeys(ratio for row in model.sizes.values() for ratio in row)),
        resolutions=list(model.sizes),
        most_pictures=bound("n", "maximum"),
        most_references=bound("imageUrls", "maxItems") or 0,
        points_per_picture=model.points_per_image,
    )


def pictures(task: Task, data: list[bytes]) -> list[ContentBlock]:
    """For each picture something to look at and a link to the whole of it."""
    blocks: list[ContentBlock] = []
    for number, (image, body) in enumerate(zip(task.images, data, strict=True), 1):
        shown = viewable(body, image.media_type)
        if shown is not None:
            blocks.append(ImageContent(type="image", data=base64.b64encode(shown[0]).decode(), mime_type=shown[1]))
        name = f"picture {number}"
        link = ResourceLink(
            type="resource_link", uri=image.url, name=name, mime_type=image.media_type, size=len(body)
        )
        blocks.append(link)
    return blocks


def viewable(data: bytes, media_type: str | None) -> tuple[bytes, str] | None:
    """The picture itself when it is small, else a smaller one; None when it cannot be read."""
    if len(data) <= SMALL_ENOUGH and media_type in VIEWABLE:
        return data, media_type
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP", "GIF", "BMP")) as image:
            if image.width * image.height > MOST_PIXELS:
                return None
            image.draft("RGB", (SIDE, SIDE))
            image.thumbnail((SIDE, SIDE))
            file = io.BytesIO()
            image.convert("RGB").save(file, "JPEG", quality=QUALITY)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return file.getvalue(), "image/jpeg"


def summary(task: Task) -> TextContent:
    """One line for people."""
    if task.succeeded:
        links = "".join(f"\n{image.url}" for image in task.images)
        warned = "".join(f"\nNote: {warning}" for warning in task.warnings)
        return text(f"Task {task.id}: {len(task.images)} picture(s) by {task.engine}.{links}{warned}")
    if task.done:
        why = task.failure_message or task.failure_reason or "no reason given"
        return text(f"Task {task.id} ended as {task.status}: {why}")
    return text(f"Task {task.id} is {task.status}; ask get_task for it later.")


def text(words: str) -> TextContent:
    return TextContent(type="text", text=words)
