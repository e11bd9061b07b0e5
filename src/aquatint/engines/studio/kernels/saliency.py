"""Where people look: a saliency map from colour, spectrum, sharpness, skin and faces."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.arrays import PlaneF, Rgb8, RgbF
from aquatint.engines.studio.kernels.color import rgb_to_lab, to_float
from aquatint.engines.studio.kernels.resize import blur, blur_wide, fit_width, resize

_MAP_SIDE = 320
_FACE_WEIGHT = 3.0
Box = tuple[int, int, int, int]  # left, top, width, height


@dataclass(frozen=True, slots=True)
class Saliency:
    """A small map of interest and the faces found, in pixels of that map."""

    interest: PlaneF  # (h, w), 0 or more, longer side at most 320
    faces: tuple[Box, ...]


def saliency(image: Rgb8) -> Saliency:
    """Estimate interest for each part of the picture, without any trained weights but OpenCV's Haar faces.

    Colour distance from the frame's sides, spectral residual (Hou and Zhang 2007), sharpness, bold contrast and
    skin tone, times a gentle prior for the middle; faces weigh most.
    """
    height, width = image.shape[:2]
    small = resize(image, *fit_width(width, height, _MAP_SIDE))
    floats = to_float(small)
    interest = 0.40 * _rarity(floats) + 0.25 * _spectral_residual(small) + 0.25 * _sharpness(small)
    interest += 0.35 * _skin(small) + 0.8 * _boldness(floats)
    interest *= 0.35 + 0.65 * _middle(*small.shape[:2])
    faces = find_faces(small)
    for left, top, wide, tall in faces:
        rows = slice(max(0, top - int(0.35 * tall)), top + int(1.15 * tall))
        columns = slice(max(0, left - int(0.1 * wide)), left + int(1.1 * wide))
        interest[rows, columns] += _FACE_WEIGHT
    return Saliency(np.asarray(interest, dtype=np.float32), faces)


def find_faces(image: Rgb8) -> tuple[Box, ...]:
    """Frontal faces at least 8 % of the shorter side, sorted; none where OpenCV comes without cascades."""
    folder = getattr(getattr(cv2, "data", None), "haarcascades", None)
    if folder is None or not hasattr(cv2, "CascadeClassifier"):
        return ()
    model = Path(folder) / "haarcascade_frontalface_default.xml"
    if not model.exists():
        return ()
    gray = cv2.equalizeHist(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
    least = max(16, int(0.08 * min(image.shape[:2])))
    found = cv2.CascadeClassifier(str(model)).detectMultiScale(gray, 1.1, 6, minSize=(least, least))
    return tuple(sorted((int(x), int(y), int(w), int(h)) for x, y, w, h in found))


def face_mask(image: Rgb8) -> PlaneF | None:
    """Soft ellipses over the faces, 1 inside: (h, w) of the image; None when there is no face."""
    height, width = image.shape[:2]
    small = resize(image, *fit_width(width, height, _MAP_SIDE))
    faces = find_faces(small)
    if not faces:
        return None
    mask = np.zeros(small.shape[:2], np.float32)
    for left, top, wide, tall in faces:
        center, axes = (left + wide // 2, top + tall // 2), (round(0.48 * wide), round(0.62 * tall))
        cv2.ellipse(mask, center, axes, 0, 0, 360, 1.0, -1)
    return resize(blur(mask, 0.06 * max(face[2] for face in faces)), width, height)


def _normalised(plane: npt.NDArray[np.float32]) -> PlaneF:
    return np.asarray(plane / (np.float32(plane.max()) + np.float32(1e-6)), dtype=np.float32)


def _rarity(image: RgbF) -> PlaneF:
    """Mahalanobis distance of each colour from the nearest of the four sides, taken as background."""
    lab = blur(rgb_to_lab(image), 2.5)
    depth = max(2, min(lab.shape[:2]) // 30)
    distances = []
    for side in (lab[:depth], lab[-depth:], lab[:, :depth], lab[:, -depth:]):
        pixels = side.reshape(-1, 3)
        inverse = np.linalg.inv(np.cov(pixels.T) + np.eye(3) * 12).astype(np.float32)
        offset = lab - pixels.mean(0)
        distances.append(np.sqrt(np.maximum(((offset @ inverse) * offset).sum(2), 0)))
    return _normalised(np.asarray(np.minimum.reduce(distances), dtype=np.float32))


def _spectral_residual(image: Rgb8) -> PlaneF:
    gray = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (64, 64), interpolation=cv2.INTER_AREA)
    spectrum = np.fft.fft2(gray.astype(np.float32))
    logarithm = np.log(np.abs(spectrum) + 1e-6).astype(np.float32)
    residual = logarithm - cv2.blur(logarithm, (3, 3))
    answer = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
    return resize(_normalised(blur(answer.astype(np.float32), 2.5)), image.shape[1], image.shape[0])


def _sharpness(image: Rgb8) -> PlaneF:
    gray = to_float(np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8))
    return _normalised(blur(np.abs(np.asarray(cv2.Laplacian(gray, cv2.CV_32F), dtype=np.float32)), 6))


def _boldness(image: RgbF) -> PlaneF:
    """Strong light beside dark at the size of features: eyes, windows, petals (center-surround, Itti et al. 1998)."""
    light = rgb_to_lab(image)[..., 0]
    apart = np.abs(blur(light, 3) - blur_wide(light, 14))
    return _normalised(blur(np.asarray(apart * apart, dtype=np.float32), 7))


def _skin(image: Rgb8) -> PlaneF:
    ycrcb = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb).astype(np.float32)
    likely = np.exp(-(((ycrcb[..., 1] - 152) / 10) ** 2) - ((ycrcb[..., 2] - 107) / 12) ** 2)
    return blur(np.asarray(likely * (ycrcb[..., 0] > 60), dtype=np.float32), 3)


def _middle(height: int, width: int) -> PlaneF:
    y = (np.arange(height, dtype=np.float32)[:, None] / height - np.float32(0.45)) / np.float32(0.42)
    x = (np.arange(width, dtype=np.float32)[None] / width - np.float32(0.5)) / np.float32(0.42)
    return np.asarray(np.exp(-(x * x) - y * y), dtype=np.float32)
