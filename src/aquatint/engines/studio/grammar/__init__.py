"""The grammar: an English or Chinese prompt in, a typed Plan out; words are data, rules are few.

How a prompt is read
    normal.py      NFKC, lower case, traditional to simplified characters, quoted text taken out
    vocabulary.py  the lexicon, loaded once from lexicon/*.toml
    scan.py        longest match over the lexicon: terms, unknown words, references, breaks
    semantic.py    verbs: does "change A to B" ask for a style, or for something no classical engine can do?
    reader.py      clause by clause: negations, strengths, colours, counts and places find their thing
    draft.py       what was collected becomes a Plan
    report.py      what the user is told

How to add a word
    Open the file of its category in lexicon/ and append the word to `en` (comma-separated; hyphens count as
    spaces, plurals of single words come by themselves) or to `zh` (space-separated, simplified characters; the
    traditional form works when its characters are in lexicon/traditional.toml). Every word may stand once only.

How to add a thing
    Add a table. Its key is the canonical name (a module of styles/ or edits/, or a subject that the scenes know);
    `name = "..."` gives another canonical name, `variant` tells kinds apart within a name, `implies` adds what goes
    without saying ({ time = "night" }), `option` adds to Plan.options. Then add an English and a Chinese line to
    tests/unit/studio/data/prompts.jsonl.
"""

from __future__ import annotations

from aquatint.engines.studio.grammar.parse import parse
from aquatint.engines.studio.grammar.report import warnings

__all__ = ["parse", "warnings"]
