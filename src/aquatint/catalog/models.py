"""What the catalog says of one model, and whether an input fits it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aquatint.domain.errors import InvalidInput
from aquatint.domain.size import Size, nearest_ratio
from aquatint.domain.task import Mode

MODES: tuple[Mode, ...] = ("text_to_image", "image_to_image")


@dataclass(frozen=True, slots=True)
class Route:
    """One engine that can serve the model, what the model is called there, and when it can.

    `tiers` names, for a resolution that the provider does not make, the one to ask for instead; what comes is shrunk
    when it is larger, and reported as it is when it is smaller. `usd` is the provider's price of an image.
    """

    engine: str
    remote_model: str = ""
    edit_model: str = ""  # where image-to-image is another model of the provider
    modes: tuple[Mode, ...] = MODES
    resolutions: tuple[str, ...] = ()  # empty: all of the model's
    references_max: int | None = None
    tiers: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, Mapping[str, Size]] | None = None  # the provider's own table; None: the model's
    alone: bool = False  # serves only where no other route of the model has what it needs
    usd: float | None = None
    options: Mapping[str, object] = field(default_factory=dict)  # for the engine alone

    @property
    def name(self) -> str:
        """What tells this route from the model's others, also after the catalog was edited."""
        return f"{self.engine}/{self.remote_model}" if self.remote_model else self.engine

    def fits(self, mode: Mode, resolution: str, references: int) -> bool:
        """Whether a task of this kind can take the route."""
        return (
            mode in self.modes
            and (not self.resolutions or resolution in self.resolutions)
            and (self.references_max is None or references <= self.references_max)
        )

    def remote(self, mode: Mode) -> str:
        """The provider's model for this mode."""
        return self.edit_model if mode == "image_to_image" and self.edit_model else self.remote_model


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One public model. `sizes` maps resolution, then ratio, to pixels."""

    name: str
    title: str
    family: str
    ratios: tuple[str, ...]
    resolutions: tuple[str, ...]
    default_ratio: str
    default_resolution: str
    n_max: int
    references_min: int
    references_max: int
    references_plus_n_max: int | None
    points: int  # per image
    sizes: Mapping[str, Mapping[str, Size]]
    routes: tuple[Route, ...]
    ignores: tuple[str, ...] = ()  # documented as having no effect: ratio, resolution
    concurrency: int | None = None  # tasks of the model at once, over all workers
    resend_ambiguous: bool = False  # the operator would rather pay twice than fail when an answer is lost

    def check(self, *, ratio: str | None, resolution: str | None, n: int, references: int) -> None:
        """Raise InvalidInput when a value is outside the model's documented set."""
        if ratio is not None and ratio not in self.ratios:
            raise InvalidInput("input.ratio", f"must be one of {', '.join(self.ratios)} for {self.name}")
        if resolution is not None and resolution not in self.resolutions:
            raise InvalidInput("input.resolution", f"must be one of {', '.join(self.resolutions)} for {self.name}")
        row = self.sizes[resolution or self.default_resolution]
        if ratio is not None and ratio not in row:
            raise InvalidInput("input.ratio", f"{resolution} is offered for {', '.join(row)} alone by {self.name}")
        if not 1 <= n <= self.n_max:
            raise InvalidInput("input.n", f"must be between 1 and {self.n_max} for {self.name}")
        self._check_references(n, references)

    def _check_references(self, n: int, references: int) -> None:
        if references < self.references_min:
            raise InvalidInput("input.imageUrls", f"is required by {self.name}")
        if references > self.references_max:
            raise InvalidInput(
                "input.imageUrls", f"holds {references} images; {self.name} takes at most {self.references_max}"
            )
        limit = self.references_plus_n_max
        if limit is not None and references and references + n > limit:
            raise InvalidInput(
                "input.n", f"{references} reference images and n = {n} are together more than {limit} for {self.name}"
            )

    def size(self, ratio: str | None, resolution: str, first_reference: Size | None) -> Size:
        """Pixels of every output image; without a ratio, the listed one nearest to the first reference."""
        row = self.sizes[resolution]
        return row[self._ratio(ratio, row, first_reference)]

    def size_at(self, route: Route, ratio: str | None, resolution: str, first_reference: Size | None) -> Size:
        """Pixels to ask of a route for such an image."""
        row = (route.sizes or self.sizes)[route.tiers.get(resolution, resolution)]
        return row[self._ratio(ratio, row, first_reference)]

    def _ratio(self, ratio: str | None, row: Mapping[str, Size], first_reference: Size | None) -> str:
        if ratio is not None:
            return ratio
        if first_reference is not None:
            return nearest_ratio(first_reference.width, first_reference.height, tuple(row))
        return self.default_ratio if self.default_ratio in row else next(iter(row))
