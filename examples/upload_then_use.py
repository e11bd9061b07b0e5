"""Upload a photo once, then paint it in several styles by its URL.

Usage: AQUATINT_KEY=... python examples/upload_then_use.py examples/photos/dandelions.jpg out-folder
"""

import json
import sys
import urllib.request
import uuid
from pathlib import Path

from submit_and_poll import KEY, SERVER, call, wait

STYLES = ("as a watercolor", "as a pencil drawing")


def upload(photo: Path) -> dict:
    """POST the file as multipart/form-data, in a field named `file`."""
    boundary = uuid.uuid4().hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{photo.name}"\r\n\r\n'
    request = urllib.request.Request(
        f"{SERVER}/api/v1/files",
        data=head.encode() + photo.read_bytes() + f"\r\n--{boundary}--\r\n".encode(),
        headers={
            "Authorization": f"Bearer {KEY}",
            "Content-Type": f"multipart/form-data; boundary={boundary}",
        },
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)["data"]


def main() -> None:
    photo, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    file = upload(photo)
    print(f"uploaded: {file['width']} x {file['height']}, kept until {file['expires_at']}", file=sys.stderr)
    submitted = []
    for style in STYLES:  # all at once; the server paints as many side by side as it has cores
        fields = {"prompt": style, "imageUrls": [file["url"]], "ratio": "16:9", "resolution": "1k"}
        submitted.append(call("/api/v1/task/submit", {"model": "seedream-4.5", "input": fields})["taskId"])
    for style, task_id in zip(STYLES, submitted, strict=True):
        task = wait(task_id)
        if task["status"] != "SUCCESS":
            sys.exit(f"{task['status']}: {task['failure_reason']} {task['failure_message']}")
        path = folder / f"{style.split()[2]}.png"
        with urllib.request.urlopen(task["result"]["urls"][0], timeout=30) as picture:
            path.write_bytes(picture.read())
        print(path)


if __name__ == "__main__":
    main()
