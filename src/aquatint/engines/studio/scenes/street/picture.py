"""From a brief to a picture: viewpoint, street, road, lens, in that order."""

from __future__ import annotations

from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.scenes.street import lens, road, sky, stage, weather
from aquatint.engines.studio.scenes.street.brief import Brief
from aquatint.engines.studio.scenes.street.camera import Camera
from aquatint.engines.studio.scenes.street.layout import build_street
from aquatint.engines.studio.styles.base import Easel, Rgb8

_MIRROR_WIDTH = 1400  # pixels: reflections are soft, so they never need more


def viewpoint(easel: Easel, brief: Brief) -> Camera:
    """Stand in the street: a little off its middle, at eye level or slightly above."""
    rng = generator(brief.seed, "viewpoint")
    tall = easel.height > easel.width
    return Camera(
        width=easel.width,
        height=easel.height,
        focal=easel.height * (0.92 if not tall else 0.66) * float(rng.uniform(0.95, 1.12)),
        horizon=easel.height * (0.585 if not tall else 0.62) + easel.height * float(rng.uniform(-0.02, 0.02)),
        x=float(rng.uniform(-1.3, 1.3)),
        eye=float(rng.uniform(1.75, 2.3)),
    )


def render(brief: Brief, easel: Easel) -> Rgb8:
    """Render the street of a brief at the easel's size."""
    camera = viewpoint(easel, brief)
    direct = stage.View.empty(camera, mirrored=False)
    mirror = stage.View.empty(
        camera.scaled(min(1.0, _MIRROR_WIDTH / max(camera.width, camera.height))), mirrored=True
    )
    backdrop = sky.paint_sky(camera, brief)
    easel.progress(0.05, "street")
    street = build_street(camera, brief)
    stage.perform(
        street.pieces,
        (direct, mirror),
        brief.light,
        easel.threads,
        lambda share: easel.progress(0.05 + 0.6 * share, "street"),
    )
    wet = road.prepare(direct, mirror, backdrop, brief, street.feet)
    stage.fill_behind(direct, backdrop, 0, int(camera.horizon) + 1, easel.threads)
    easel.progress(0.7, "road")
    road.pave(direct, wet, easel.threads)
    easel.progress(0.8, "light")
    film = lens.expose(direct, weather.steam(camera, brief), brief)
    picture = lens.develop(
        direct,
        film,
        weather.rain_mask(camera, brief),
        weather.cable_mask(camera, street.cables),
        brief,
        easel.threads,
    )
    easel.progress(1.0, "light")
    return picture
