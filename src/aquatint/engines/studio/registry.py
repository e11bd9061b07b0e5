"""Finding styles, scenes and edits by the name of their module: adding one is adding a file."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from types import ModuleType
from typing import cast

from aquatint.engines.studio import edits, scenes, styles
from aquatint.engines.studio.scenes.base import Scene
from aquatint.engines.studio.styles.base import Style


def style_names() -> frozenset[str]:
    """Names of all styles."""
    return _names(styles)


def scene_names() -> frozenset[str]:
    """Names of all scenes."""
    return _names(scenes)


def edit_names() -> frozenset[str]:
    """Names of all edits."""
    return _names(edits)


def style(name: str) -> Style:
    """Load `paint` of a style. Raises LookupError when there is none of that name."""
    return cast(Style, _function(styles, name, "paint"))


def scene(name: str) -> Scene:
    """Load `compose` of a scene. Raises LookupError when there is none of that name."""
    return cast(Scene, _function(scenes, name, "compose"))


def edit(name: str) -> Style:
    """Load `apply` of an edit. Raises LookupError when there is none of that name."""
    return cast(Style, _function(edits, name, "apply"))


def _names(package: ModuleType) -> frozenset[str]:
    """Plain modules of the package; sub-packages, `base` and names that start with _ are helpers."""
    found = pkgutil.iter_modules(package.__path__)
    return frozenset(m.name for m in found if not m.ispkg and m.name != "base" and m.name[0] != "_")


def _function(package: ModuleType, name: str, function: str) -> object:
    if name not in _names(package):
        raise LookupError(f"no {function} named {name}")
    loaded = getattr(import_module(f"{package.__name__}.{name}"), function, None)
    if not callable(loaded):
        raise LookupError(f"{package.__name__}.{name} has no {function}")
    return loaded
