"""Simple pictograms in one colour on a ground: for icons and logos."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from aquatint.engines.studio.scenes.figures.canvas import Canvas, Color, Points, curve, oval, points, ribbon

# Which words of a prompt ask for which pictogram.
WORDS: Mapping[str, str] = MappingProxyType(
    {
        "home": r"home|house|房|家|主页",
        "heart": r"heart|love|health|心|爱",
        "star": r"star\b|favorite|星|收藏",
        "mail": r"mail|message|邮|消息",
        "music": r"music|song|音乐",
        "camera": r"camera|photo|相机|照片",
        "cloud": r"cloud|云|天气",
        "sun": r"\bsun|太阳|weather",
        "moon": r"moon|night|月",
        "search": r"search|find|搜",
        "bell": r"bell|notif|alarm|铃|通知",
        "lock": r"lock|secur|锁|安全",
        "chat": r"chat|talk|speech|聊天|对话",
        "cup": r"coffee|cup|caf|咖啡|杯",
        "leaf": r"leaf|eco|plant|叶|植物",
        "play": r"play|video|播放|视频",
        "drop": r"drop|water|水滴",
        "flash": r"flash|bolt|energy|power|闪电|电",
        "pin": r"map|pin|location|place|地图|定位",
        "chart": r"chart|stat|finance|data|图表|数据|金融",
        "gear": r"gear|setting|设置|齿轮",
        "flame": r"fire|flame|hot|火",
    }
)


def rounded(x: float, y: float, half_w: float, half_h: float, radius: float) -> Points:
    """Outline of a rounded rectangle around (x, y); its corners are superellipses, without a visible joint."""
    parts = []
    for k, (sx, sy) in enumerate(((1, 1), (-1, 1), (-1, -1), (1, -1))):
        a = np.linspace(0, np.pi / 2, 48) + k * np.pi / 2
        c, s = np.cos(a), np.sin(a)
        parts.append(np.stack([
            x + sx * (half_w - radius) + np.sign(c) * np.abs(c) ** 0.8 * radius,
            y + sy * (half_h - radius) + np.sign(s) * np.abs(s) ** 0.8 * radius,
        ], 1))  # fmt: skip
    return np.concatenate(parts)


def draw(canvas: Canvas, name: str, x: float, y: float, r: float, ink: Color, ground: Color) -> None:
    """Draw the pictogram `name` of WORDS within radius r; `ground` fills its holes. Raises KeyError if unknown."""
    _DRAW[name](_Pen(canvas, x, y, r, ink, ground))


class _Pen:
    """Draws in units of the pictogram's radius around its centre, y downwards."""

    def __init__(self, canvas: Canvas, x: float, y: float, r: float, ink: Color, ground: Color) -> None:
        self.canvas, self.x, self.y, self.r, self.ink, self.ground = canvas, x, y, r, ink, ground

    def place(self, shape: Points) -> Points:
        return shape * self.r + (self.x, self.y)

    def poly(self, *pairs: tuple[float, float], hole: bool = False) -> None:
        self.canvas.polygon(self.place(points(pairs)), self.ground if hole else self.ink)

    def blob(self, *pairs: tuple[float, float], hole: bool = False) -> None:
        self.canvas.polygon(self.place(curve(pairs, 18, closed=True)), self.ground if hole else self.ink)

    def disc(self, x: float, y: float, rx: float, ry: float | None = None, hole: bool = False) -> None:
        shape = oval(self.x + x * self.r, self.y + y * self.r, rx * self.r, (ry or rx) * self.r)
        self.canvas.polygon(shape, self.ground if hole else self.ink)

    def box(self, x: float, y: float, w: float, h: float, radius: float, hole: bool = False) -> None:
        self.canvas.polygon(self.place(rounded(x, y, w, h, radius)), self.ground if hole else self.ink)

    def path(self, *pairs: tuple[float, float], broad: float = 0.14, hole: bool = False, smooth: bool = True) -> None:
        line = self.place(curve(pairs, 18) if smooth else points(pairs))
        self.canvas.polygon(ribbon(line, broad * self.r), self.ground if hole else self.ink)
        for end in (line[0], line[-1]):
            self.canvas.ellipse(
                float(end[0]),
                float(end[1]),
                broad * self.r / 2,
                broad * self.r / 2,
                self.ground if hole else self.ink,
            )

    def band(
        self, share: float, broad: float, start: float = 0.0, sweep: float = 2 * np.pi, x: float = 0, y: float = 0
    ) -> None:
        a = np.linspace(start, start + sweep, 120)
        outer = np.stack([np.cos(a), np.sin(a)], 1) * (share + broad / 2) + (x, y)
        inner = np.stack([np.cos(a[::-1]), np.sin(a[::-1])], 1) * (share - broad / 2) + (x, y)
        self.canvas.polygon(self.place(np.concatenate([outer, inner])), self.ink)


def _home(p: _Pen) -> None:
    p.poly((-1.0, 0.0), (0.0, -0.92), (1.0, 0.0), (0.72, 0.0), (0.72, 0.86), (-0.72, 0.86), (-0.72, 0.0))
    p.box(0.0, 0.56, 0.2, 0.32, 0.1, hole=True)


def _heart(p: _Pen) -> None:
    t = np.linspace(0, 2 * np.pi, 160, endpoint=False)
    shape = (
        np.stack([16 * np.sin(t) ** 3, -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))], 1)
        / 16.5
    )
    p.canvas.polygon(p.place(shape), p.ink)


def _star(p: _Pen) -> None:
    a = -np.pi / 2 + np.arange(10) * np.pi / 5
    reach = np.where(np.arange(10) % 2, 0.46, 1.02)
    p.canvas.polygon(p.place(np.stack([np.cos(a) * reach, np.sin(a) * reach], 1)), p.ink)


def _mail(p: _Pen) -> None:
    p.box(0, 0, 1.0, 0.72, 0.18)
    p.path((-0.86, -0.46), (0.0, 0.16), (0.86, -0.46), broad=0.13, hole=True, smooth=False)


def _music(p: _Pen) -> None:
    p.disc(-0.52, 0.62, 0.32, 0.25)
    p.disc(0.52, 0.46, 0.32, 0.25)
    p.poly(
        (-0.36, 0.62),
        (-0.22, 0.62),
        (-0.22, -0.58),
        (0.68, -0.76),
        (0.68, 0.46),
        (0.82, 0.46),
        (0.82, -0.98),
        (-0.36, -0.74),
    )


def _camera(p: _Pen) -> None:
    p.box(0, 0.10, 1.0, 0.66, 0.2)
    p.poly((-0.42, -0.5), (-0.28, -0.8), (0.28, -0.8), (0.42, -0.5))
    p.disc(0, 0.12, 0.44, hole=True)
    p.disc(0, 0.12, 0.27)


def _cloud(p: _Pen) -> None:
    p.disc(-0.48, 0.18, 0.42)
    p.disc(0.06, -0.12, 0.56)
    p.disc(0.58, 0.20, 0.40)
    p.box(0.04, 0.38, 0.80, 0.22, 0.2)


def _sun(p: _Pen) -> None:
    p.disc(0, 0, 0.48)
    for k in range(8):
        a = k * np.pi / 4
        p.path((np.cos(a) * 0.70, np.sin(a) * 0.70), (np.cos(a) * 0.98, np.sin(a) * 0.98), broad=0.15, smooth=False)


def _moon(p: _Pen) -> None:
    p.disc(-0.05, 0, 0.88)
    p.disc(0.34, -0.22, 0.72, hole=True)


def _search(p: _Pen) -> None:
    p.band(0.55, 0.2, x=-0.16, y=-0.16)
    p.path((0.28, 0.28), (0.86, 0.86), broad=0.24, smooth=False)


def _bell(p: _Pen) -> None:
    p.blob(
        (0.0, -0.9), (0.5, -0.62), (0.62, 0.0), (0.86, 0.52), (0.0, 0.62), (-0.86, 0.52), (-0.62, 0.0), (-0.5, -0.62)
    )
    p.disc(0, 0.78, 0.2, 0.16)


def _lock(p: _Pen) -> None:
    p.band(0.46, 0.18, np.pi, np.pi, y=-0.22)
    p.poly((-0.55, -0.24), (-0.37, -0.24), (-0.37, 0.1), (-0.55, 0.1))
    p.poly((0.37, -0.24), (0.55, -0.24), (0.55, 0.1), (0.37, 0.1))
    p.box(0, 0.38, 0.78, 0.54, 0.16)
    p.disc(0, 0.32, 0.14, hole=True)
    p.poly((-0.06, 0.35), (0.06, 0.35), (0.09, 0.66), (-0.09, 0.66), hole=True)


def _chat(p: _Pen) -> None:
    p.box(0, -0.12, 1.0, 0.70, 0.32)
    p.poly((-0.52, 0.45), (-0.05, 0.5), (-0.58, 0.98))
    for x in (-0.42, 0.0, 0.42):
        p.disc(x, -0.12, 0.11, hole=True)


def _cup(p: _Pen) -> None:
    p.poly((-0.78, -0.24), (0.48, -0.24), (0.40, 0.52), (0.16, 0.78), (-0.46, 0.78), (-0.70, 0.52))
    p.band(0.26, 0.14, -1.3, 2.7, x=0.50, y=0.10)
    for x in (-0.42, -0.14, 0.14):
        p.path((x, -0.44), (x + 0.09, -0.62), (x - 0.07, -0.78), (x + 0.02, -0.96), broad=0.10)


def _leaf(p: _Pen) -> None:
    p.blob((0.88, -0.88), (0.80, 0.22), (0.10, 0.76), (-0.58, 0.58), (-0.62, -0.10), (-0.05, -0.70))
    p.path((-0.92, 0.94), (-0.35, 0.32), (0.36, -0.38), broad=0.11, hole=True)
    p.path((-0.92, 0.94), (-0.62, 0.60), broad=0.13, smooth=False)


def _play(p: _Pen) -> None:
    p.disc(0, 0, 0.96)
    p.poly((-0.26, -0.46), (0.52, 0.0), (-0.26, 0.46), hole=True)


def _drop(p: _Pen) -> None:
    p.blob(
        (0.0, -1.02),
        (0.32, -0.42),
        (0.62, 0.22),
        (0.42, 0.78),
        (0.0, 0.94),
        (-0.42, 0.78),
        (-0.62, 0.22),
        (-0.32, -0.42),
    )
    p.path((-0.30, 0.30), (-0.22, 0.56), (0.02, 0.66), broad=0.11, hole=True)


def _flash(p: _Pen) -> None:
    p.poly((0.20, -1.0), (-0.64, 0.16), (-0.08, 0.16), (-0.24, 1.0), (0.64, -0.22), (0.08, -0.22))


def _pin(p: _Pen) -> None:
    p.blob(
        (0.0, 1.0),
        (-0.42, 0.34),
        (-0.68, -0.28),
        (-0.40, -0.82),
        (0.0, -0.96),
        (0.40, -0.82),
        (0.68, -0.28),
        (0.42, 0.34),
    )
    p.disc(0, -0.28, 0.27, hole=True)


def _chart(p: _Pen) -> None:
    for x, h in ((-0.66, 0.36), (-0.22, 0.60), (0.22, 0.48), (0.66, 0.90)):
        p.box(x, 0.86 - h, 0.16, h, 0.1)


def _gear(p: _Pen) -> None:
    a = np.linspace(0, 2 * np.pi, 320, endpoint=False)
    reach = 0.79 + 0.19 * np.clip(np.cos(a * 8) * 2.4, -1, 1)
    p.canvas.polygon(p.place(np.stack([np.cos(a) * reach, np.sin(a) * reach], 1)), p.ink)
    p.disc(0, 0, 0.32, hole=True)


def _flame(p: _Pen) -> None:
    p.blob(
        (0.06, -1.04),
        (0.34, -0.50),
        (0.66, 0.06),
        (0.58, 0.66),
        (0.0, 0.94),
        (-0.58, 0.66),
        (-0.64, 0.10),
        (-0.36, -0.22),
        (-0.16, -0.06),
    )
    p.blob((0.04, 0.02), (0.26, 0.42), (0.20, 0.72), (0.0, 0.80), (-0.22, 0.70), (-0.24, 0.42), hole=True)


_DRAW: Mapping[str, Callable[[_Pen], None]] = MappingProxyType(
    {
        "home": _home, "heart": _heart, "star": _star, "mail": _mail, "music": _music, "camera": _camera,
        "cloud": _cloud, "sun": _sun, "moon": _moon, "search": _search, "bell": _bell, "lock": _lock, "chat": _chat,
        "cup": _cup, "leaf": _leaf, "play": _play, "drop": _drop, "flash": _flash, "pin": _pin, "chart": _chart,
        "gear": _gear, "flame": _flame,
    }
)  # fmt: skip
