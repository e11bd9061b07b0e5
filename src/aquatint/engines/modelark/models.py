"""The models of Ark by family: what each takes and makes. A field that a family does not list is never sent to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

MOST_IN_GROUP = 15  # references and images of one group together
MAX_SEED = 2**31 - 1
MAX_ASPECT = 16  # longer side by shorter side

_ANY = 1 << 62
_VERSION = re.compile(r"(?<!\d)(\d)(?:[.-](\d)(?!\d))?(?!\d)")
_VARIANT = re.compile(r"\b(pro|flash|lite)\b")


@dataclass(frozen=True, slots=True)
class Family:
    """What the models of one family have in common. Pixels are width times height."""

    name: str
    references: int = 10
    group: bool = False  # makes groups of images, and streams them
    min_pixels: int = 921_600
    max_pixels: int = 16_777_216
    output_format: bool = False  # jpeg or png as asked; else always jpeg
    seed: bool = False


FAMILIES = {
    family.name: family
    for family in (
        Family("3.0", references=0, min_pixels=512 * 512, max_pixels=2048 * 2048, seed=True),
        Family("4.0", references=14, group=True),
        Family("4.5", references=14, group=True, min_pixels=3_686_400),
        Family("5.0-lite", references=14, group=True, min_pixels=3_686_400, output_format=True),
        Family("5.0-pro", max_pixels=4_624_220, output_format=True),
        Family("5.0-flash", max_pixels=4_624_220, output_format=True),
        Family("5.5", max_pixels=4_624_220, output_format=True),
    )
}

# A model that we do not know gets the fields that all models take, and its own refusals.
UNKNOWN = Family("", references=_ANY, min_pixels=0, max_pixels=_ANY)


def family_of(remote_model: str, said: object = None) -> Family:
    """The family that the route says, such as `4.5` or `5.0-pro`; else the one that the model id tells.

    Endpoint ids (`ep-...`) tell nothing.
    """
    if isinstance(said, str) and said:
        return _parsed(said)
    return UNKNOWN if _is_endpoint(remote_model) or "seedream" not in remote_model.lower() else _parsed(remote_model)


def remote_id(base_url: str, remote_model: str) -> str:
    """The model's id at `base_url`: Volcengine says `doubao-` where BytePlus says `dola-` or nothing."""
    host = urlsplit(base_url).hostname or ""
    if not (host == "volces.com" or host.endswith(".volces.com")) or _is_endpoint(remote_model):
        return remote_model
    bare = remote_model.removeprefix("dola-")
    return f"doubao-{bare}" if bare.startswith(("seedream-", "seededit-")) else remote_model


def _is_endpoint(remote_model: str) -> bool:
    return remote_model.startswith("ep-")


def _parsed(text: str) -> Family:
    text = text.lower()
    version = _VERSION.search(text)
    if version is None:
        return UNKNOWN
    number = f"{version[1]}.{version[2] or 0}"
    if number == "5.0":
        variant = _VARIANT.search(text)
        number = f"5.0-{variant[1] if variant is not None else 'lite'}"
    return FAMILIES.get(number, UNKNOWN)
