"""Receive callbacks, check their signature, and print what they say. Needs nothing but Python.

Usage: AQUATINT_WEBHOOKS__SECRET=whsec_... python examples/webhook_receiver.py --port 8002
Without a secret it takes unsigned callbacks and says so.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import time
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = os.environ.get("AQUATINT_WEBHOOKS__SECRET", "")
TOLERANCE = 300  # seconds that a signature may be old


def genuine(headers: Message, body: bytes) -> bool:
    """True when the body was signed with our secret, not long ago (https://www.standardwebhooks.com)."""
    timestamp = headers.get("webhook-timestamp", "")
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > TOLERANCE:
        return False
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = f"{headers.get('webhook-id', '')}.{timestamp}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    # While secrets are changed there are several signatures; one that fits is enough.
    return any(hmac.compare_digest(expected, one) for one in headers.get("webhook-signature", "").split(" "))


class Receiver(ThreadingHTTPServer):
    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), Callback)
        self.seen: set[str] = set()  # a database table in a real receiver


class Callback(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if SECRET and not genuine(self.headers, body):
            self.send_error(401, "the signature is wrong")
            return
        task = json.loads(body)["data"]
        # At least once means: perhaps twice. The id of a task tells whether we know it already.
        note = " (again)" if task["taskId"] in self.server.seen else "" if SECRET else " (not signed)"
        self.server.seen.add(task["taskId"])
        urls = task["result"]["urls"] if task["result"] else [task["failure_message"]]
        print(f"{task['taskId']} {task['status']}{note}", *urls, flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing of each request."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Receive callbacks and print them.")
    parser.add_argument("--port", type=int, default=8002)
    server = Receiver(parser.parse_args().port)
    print(f"callBackUrl: http://127.0.0.1:{server.server_port}/callback", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
