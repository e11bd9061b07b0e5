"""Provenance: every picture says in its own metadata that a machine made it, with what and from which seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from xml.sax.saxutils import quoteattr

# IPTC NewsCodes: made purely by an algorithm, or a photograph that an algorithm worked over.
SourceType = Literal["algorithmicMedia", "algorithmicallyEnhanced"]
SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"

_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about=""
 xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:aquatint="urn:aquatint:provenance:1"
 xmp:CreatorTool={tool}
 Iptc4xmpExt:DigitalSourceType={source}
 aquatint:Engine={engine}
 aquatint:EngineVersion={version}
 aquatint:Model={model}
 aquatint:Seed={seed}/>
</rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a picture comes from. Nothing of the caller's input is in it."""

    engine: str
    version: str
    model: str  # public model name it was asked for under
    seed: int
    source_type: SourceType


def text_fields(origin: Provenance) -> dict[str, str]:
    """Keyword and text of the PNG text chunks; all Latin-1."""
    return {
        "Software": _latin(f"Aquatint {origin.engine} {origin.version}"),
        "Source": f"Made by machine ({origin.source_type})",
        "Comment": "Generated image, not a photograph",
        "Aquatint-Engine": _latin(f"{origin.engine}/{origin.version}"),
        "Aquatint-Model": _latin(origin.model),
        "Aquatint-Seed": str(origin.seed),
    }


def _latin(text: str) -> str:
    return text.encode("latin-1", "replace").decode("latin-1")


def xmp_packet(origin: Provenance) -> bytes:
    """XMP packet (UTF-8) with the IPTC digital source type, for any of the three file formats."""
    packet = _PACKET.format(
        tool=quoteattr(f"Aquatint {origin.engine} {origin.version}"),
        source=quoteattr(SOURCE_TYPES + origin.source_type),
        engine=quoteattr(origin.engine),
        version=quoteattr(origin.version),
        model=quoteattr(origin.model),
        seed=quoteattr(str(origin.seed)),
    )
    return packet.encode()
