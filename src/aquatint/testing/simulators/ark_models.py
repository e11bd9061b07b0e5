"""The models that the simulated Ark serves, and what each takes: kept apart from the engine that it tests."""

from __future__ import annotations

from dataclasses import dataclass, field

_GROUP_FIELDS = frozenset(("sequential_image_generation", "sequential_image_generation_options", "stream"))
_ALL = frozenset(("model", "prompt", "size", "response_format", "watermark", "optimize_prompt"))
_NEWER = frozenset(("output_format", "background"))


@dataclass(frozen=True, slots=True)
class Model:
    """One row: pixels are width times height, tiers are the words that `size` may be instead of numbers."""

    id: str  # BytePlus' spelling
    aliases: tuple[str, ...] = ()
    references: int = 10
    min_pixels: int = 921_600
    max_pixels: int = 16_777_216
    tiers: dict[str, tuple[int, int]] = field(default_factory=dict)
    fields: frozenset[str] = frozenset()  # besides those that all models take
    modes: tuple[str, ...] = ("standard",)  # of optimize_prompt_options
    default_format: str = "jpeg"
    counts_input: bool = False  # usage says how many references there were

    def takes(self, name: str) -> bool:
        return name in _ALL or name in self.fields

    @property
    def groups(self) -> bool:
        return "sequential_image_generation" in self.fields

    @property
    def newer(self) -> bool:
        """It says the format of what it made, and can be told."""
        return "output_format" in self.fields


_IMAGES = frozenset(("image", "optimize_prompt_options"))
_PRO_TIERS = {"1K": (1024, 1024), "1.5K": (1536, 1536), "2K": (2048, 2048)}
_PRO_FIELDS = _IMAGES | _NEWER


def _pro(name: str, alias: str, default_format: str = "jpeg") -> Model:
    return Model(
        name,
        (alias,),
        max_pixels=4_624_220,
        tiers=_PRO_TIERS,
        fields=_PRO_FIELDS,
        modes=("standard", "fast"),
        default_format=default_format,
        counts_input=True,
    )


MODELS = (
    Model(
        "seedream-3-0-t2i-250415",
        ("doubao-seedream-3-0-t2i-250415",),
        references=0,
        min_pixels=512 * 512,
        max_pixels=2048 * 2048,
        fields=frozenset(("seed", "guidance_scale")),
    ),
    Model(
        "seedream-4-0-250828",
        ("doubao-seedream-4-0-250828",),
        references=14,
        tiers={"1K": (1024, 1024), "2K": (2048, 2048), "4K": (4096, 4096)},
        fields=_IMAGES | _GROUP_FIELDS | {"seed"},
        modes=("standard", "fast"),
    ),
    Model(
        "seedream-4-5-251128",
        ("doubao-seedream-4-5-251128",),
        references=14,
        min_pixels=3_686_400,
        tiers={"2K": (2048, 2048), "4K": (4096, 4096)},
        fields=_IMAGES | _GROUP_FIELDS | {"seed"},
    ),
    Model(
        "seedream-5-0-260128",
        ("seedream-5-0-lite-260128", "doubao-seedream-5-0-260128", "doubao-seedream-5-0-lite-260128"),
        references=14,
        min_pixels=3_686_400,
        tiers={"2K": (2048, 2048), "3K": (3072, 3072), "4K": (4096, 4096)},
        fields=_IMAGES | _GROUP_FIELDS | {"seed", "output_format"},
    ),
    _pro("dola-seedream-5-0-pro-260628", "doubao-seedream-5-0-pro-260628"),
    _pro("dola-seedream-5-0-flash-260915", "doubao-seedream-5-0-flash-260915"),
    _pro("dola-seedream-5-5-261028", "doubao-seedream-5-5-261028", "png"),
)
_BY_ID = {name: model for model in MODELS for name in (model.id, *model.aliases)}


def find(name: str) -> Model | None:
    """The model of this id, date and all. `ep-` before an id makes the id of a private endpoint of that model."""
    return _BY_ID.get(name.removeprefix("ep-"))
