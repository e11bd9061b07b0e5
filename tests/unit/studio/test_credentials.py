"""Content credentials: signed, read back by the package's own reader, and off unless set."""

from __future__ import annotations

import importlib.util
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aquatint.domain.errors import Misconfigured
from aquatint.engines.studio.finish.credentials import Credentials, credentials_from, manifest, sign
from aquatint.engines.studio.finish.encode import Format, encode
from aquatint.engines.studio.finish.metadata import Provenance
from aquatint.engines.studio.kernels.noise import generator

ORIGIN = Provenance("studio", "1.2.3", "seedream-4.5", 77, "algorithmicMedia")
TOOL = Path(__file__).parents[3] / "tools" / "make_c2pa_test_certificate.py"
HAS_EXTRA = importlib.util.find_spec("c2pa") is not None
needs_extra = pytest.mark.skipif(not HAS_EXTRA, reason="the extra aquatint[c2pa] is not installed")


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    if not shutil.which("openssl"):
        pytest.skip("the openssl command, which makes the test certificate, is not installed")
    spec = importlib.util.spec_from_file_location("make_certificate", TOOL)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    made: tuple[Path, Path] = tool.make(tmp_path_factory.mktemp("credentials"))
    return made


def _settings(chain: tuple[Path, Path]) -> dict[str, object]:
    return {"c2pa_certificate": str(chain[0]), "c2pa_key": str(chain[1])}


def test_off_unless_set() -> None:
    assert credentials_from({}) is None
    assert credentials_from({"c2pa_certificate": "", "c2pa_key": None}) is None


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"c2pa_certificate": "chain.pem"}, "both"),
        ({"c2pa_key": "key.pem"}, "both"),
        ({"c2pa_certificate": "/nowhere/chain.pem", "c2pa_key": "/nowhere/key.pem"}, "cannot be read"),
        ({"c2pa_certificate": "a", "c2pa_key": "b", "c2pa_algorithm": "rot13"}, "c2pa_algorithm"),
    ],
)
def test_mistakes_in_the_settings_are_named(settings: dict[str, object], said: str) -> None:
    with pytest.raises(Misconfigured, match=said):
        credentials_from(settings)


@pytest.mark.skipif(HAS_EXTRA, reason="the extra aquatint[c2pa] is installed")
def test_a_missing_extra_is_named(chain: tuple[Path, Path]) -> None:
    with pytest.raises(Misconfigured, match=r"aquatint\[c2pa\]"):
        credentials_from(_settings(chain))


def test_the_key_is_not_shown() -> None:
    assert "SECRET" not in repr(Credentials("chain", "SECRET"))


def test_the_manifest_says_a_machine_made_it() -> None:
    action = json.dumps(manifest(ORIGIN, "image/png"))
    assert "digitalsourcetype/algorithmicMedia" in action
    assert "seedream-4.5" in action


@needs_extra
@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_signed_and_read_back(chain: tuple[Path, Path], kind: Format) -> None:
    import c2pa

    credentials = credentials_from(_settings(chain))
    assert credentials is not None
    pixels = generator(1, "picture").integers(0, 256, (48, 64, 3), dtype=np.uint8)
    plain = encode(pixels, kind, ORIGIN)
    signed = sign(plain.data, plain.media_type, ORIGIN, credentials)
    assert len(signed) > len(plain.data)
    shown = [np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) for data in (plain.data, signed)]
    assert np.array_equal(*shown)
    with c2pa.Reader(plain.media_type, io.BytesIO(signed)) as reader:
        report = json.loads(reader.json())
        state = reader.get_validation_state()
    active = report["manifests"][report["active_manifest"]]
    assert state == "Valid"
    assert active["claim_generator_info"][0]["name"] == "Aquatint"
    assert "digitalsourcetype/algorithmicMedia" in json.dumps(active["assertions"])
    spoilt = bytearray(signed)
    spoilt[-60] ^= 1  # a pixel of the last row, or the end of the picture data
    with c2pa.Reader(plain.media_type, io.BytesIO(bytes(spoilt))) as reader:
        assert reader.get_validation_state() != "Valid"


@needs_extra
def test_a_key_that_does_not_fit_stops_the_start(chain: tuple[Path, Path], tmp_path: Path) -> None:
    broken = tmp_path / "key.pem"
    broken.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    with pytest.raises(Misconfigured):
        credentials_from({"c2pa_certificate": str(chain[0]), "c2pa_key": str(broken)})
