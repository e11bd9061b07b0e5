"""The demo's last page: the commands that repeat each of its steps by hand."""

from __future__ import annotations

import json
from pathlib import Path

PHOTO_PORT = 8001
CALLBACK_PORT = 8002

_STEPS = """\
# 1. Start the server, a web server with the photo, and a receiver for the callback
#    (each in a terminal of its own, or all in one as here):
export AQUATINT_API_KEY=a-key-of-my-own-choice AQUATINT_NET__ALLOW=127.0.0.0/8
export AQUATINT_WEBHOOKS__SECRET=whsec_$(head -c 32 /dev/urandom | base64)
{aquatint} serve --port {port} &
{python} -m http.server {photo_port} --directory {photo_folder} &
{python} {receiver} --port {callback_port} &

# 2. Submit the photo with a prompt; the answer holds the taskId:
TASK=$(curl -sS {origin}/api/v1/task/submit \\
  -H "Authorization: Bearer $AQUATINT_API_KEY" -H "Content-Type: application/json" \\
  -d '{watercolor}' \\
  | sed -E 's/.*"taskId":"([^"]+)".*/\\1/'); echo "$TASK"

# 3. Ask how it is; again and again until the status is SUCCESS. The receiver prints the callback:
curl -sS {origin}/api/v1/task/$TASK -H "Authorization: Bearer $AQUATINT_API_KEY"

# 4. Save the picture (result URLs need no key):
URL=$(curl -sS {origin}/api/v1/task/$TASK -H "Authorization: Bearer $AQUATINT_API_KEY" \\
  | sed -E 's/.*"urls":\\["([^"]+)".*/\\1/'); curl -sS -o picture.png "$URL"

# 5. From words alone:
curl -sS {origin}/api/v1/task/submit \\
  -H "Authorization: Bearer $AQUATINT_API_KEY" -H "Content-Type: application/json" \\
  -d '{city}'

# 6. When you are done, stop the three:
kill %1 %2 %3
"""


def commands(
    *,
    aquatint: str,
    python: str,
    photo: Path,
    receiver: Path,
    watercolor: dict[str, object],
    city: dict[str, object],
    port: int = 8000,
    photo_port: int = PHOTO_PORT,
    callback_port: int = CALLBACK_PORT,
) -> str:
    """Shell commands to paste; the inputs are those the demo sent, with addresses of the started servers."""
    sent = {
        "model": "seedream-4.5",
        "input": {**watercolor, "imageUrls": [f"http://127.0.0.1:{photo_port}/{photo.name}"]},
        "callBackUrl": f"http://127.0.0.1:{callback_port}/callback",
    }
    return _STEPS.format(
        aquatint=aquatint,
        python=python,
        port=port,
        photo_port=photo_port,
        callback_port=callback_port,
        photo_folder=photo.parent,
        receiver=receiver,
        origin=f"http://127.0.0.1:{port}",
        watercolor=json.dumps(sent, indent=2),
        city=json.dumps({"model": "seedream-4.5", "input": city}, indent=2),
    )
