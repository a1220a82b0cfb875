"""Receives webhooks of AI Studio, and believes only what is signed. A place to begin: docs/webhooks.md.

    pip install standardwebhooks
    WEBHOOK_SECRET=whsec_… python receiver.py --port 9000

It keeps what it has seen in memory; a real one does so where it keeps everything else.
"""

import argparse
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

MAX_BODY_BYTES = 16 * 1024 * 1024


class Receiver(BaseHTTPRequestHandler):
    """Answers calls. A call that is answered with 2xx is not made again."""

    webhook: Webhook
    seen: set[str]

    def do_POST(self) -> None:
        """Check the signature over the body as it came, then look whether the event is new."""
        length = self.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            return self.answer(413)
        body = self.rfile.read(int(length))
        try:
            event = self.webhook.verify(body, dict(self.headers))
        except (WebhookVerificationError, ValueError):  # ValueError: headers that are no signature at all
            return self.answer(401)
        event_id = self.headers["webhook-id"]
        if event_id not in self.seen:  # a call whose answer was lost is made again, with the same id
            self.on_event(event)
            self.seen.add(event_id)
        return self.answer(204)

    def on_event(self, event: dict[str, Any]) -> None:
        """Put it where it is worked on later: whoever calls waits for the answer."""
        data = event["data"]
        print(event["type"], data.get("run_id", ""), data.get("title", ""), flush=True)

    def answer(self, status: int) -> None:
        """The status is all that counts."""
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """One line for each event is enough."""


def main() -> None:
    """Listen until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Receive webhooks of AI Studio.")
    parser.add_argument("--port", type=int, default=9000)
    given = parser.parse_args()
    Receiver.webhook, Receiver.seen = Webhook(os.environ["WEBHOOK_SECRET"]), set()
    server = ThreadingHTTPServer(("127.0.0.1", given.port), Receiver)
    print(f"listening on http://127.0.0.1:{server.server_address[1]}/", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
