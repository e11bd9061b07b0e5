"""The public way through the grammar: prompt in, Plan out."""

from __future__ import annotations

from aquatint.engines.studio.grammar.normal import prepare
from aquatint.engines.studio.grammar.reader import read
from aquatint.engines.studio.grammar.scan import scan
from aquatint.engines.studio.grammar.vocabulary import load_vocabulary
from aquatint.engines.studio.plan import Plan


def parse(prompt: str) -> Plan:
    """Read a prompt. Pure; never raises; linear in the prompt's length (looks at the first 8000 characters)."""
    vocabulary = load_vocabulary()
    prepared = prepare(prompt, vocabulary.simplified)
    return read(scan(prepared, vocabulary), prepared).plan(prompt, prepared.text)
