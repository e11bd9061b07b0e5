"""A client of the SDK that is impatient, so that tests of repeats take milliseconds."""

from __future__ import annotations

from typing import Any

from aquatint_client import Aquatint
from aquatint_client._core import Patience
from support.server import KEY

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # the server's of tests/sdk
QUICK = Patience(retries=3, first=0.01, longest=0.02, outage=0.5)


def impatient(url: str, **options: Any) -> Aquatint:
    made = Aquatint(url, KEY, **options)
    made._core.patience = QUICK
    return made
