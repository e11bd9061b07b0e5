"""What the catalog says of one model, and whether an input fits it."""

from __future__ import annotations

from dataclasses import dataclass

from aquatint.domain.errors import InvalidInput
from aquatint.domain.size import Size, nearest_ratio


@dataclass(frozen=True, slots=True)
class Route:
    """One engine that can serve the model, and what the model is called there."""

    engine: str
    remote_model: str = ""


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
    references_max: int
    references_plus_n_max: int | None
    points: int  # per image
    sizes: dict[str, dict[str, Size]]
    routes: tuple[Route, ...]

    def check(self, *, ratio: str | None, resolution: str | None, n: int, references: int) -> None:
        """Raise InvalidInput when a value is outside the model's documented set."""
        if ratio is not None and ratio not in self.ratios:
            raise InvalidInput("input.ratio", f"must be one of {', '.join(self.ratios)} for {self.name}")
        if resolution is not None and resolution not in self.resolutions:
            raise InvalidInput("input.resolution", f"must be one of {', '.join(self.resolutions)} for {self.name}")
        if not 1 <= n <= self.n_max:
            raise InvalidInput("input.n", f"must be between 1 and {self.n_max} for {self.name}")
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
        if ratio is None and first_reference is not None:
            ratio = nearest_ratio(first_reference.width, first_reference.height, self.ratios)
        return self.sizes[resolution][ratio or self.default_ratio]
