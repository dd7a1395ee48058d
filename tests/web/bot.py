"""An example: a bot that hides faces in the pictures of a folder before it posts them.

    python bot.py SERVER FOLDER OUTPUT [TOKEN]

It needs the standard library alone, waits when the server is busy, and posts nothing that the server refused.
"""

import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path


def redact(server: str, picture: bytes, token: str = "") -> tuple[bytes, list[str]]:
    """The redacted picture, and what a person should know of it."""
    request = urllib.request.Request(f"{server}/v1/redact?method=solid", picture, method="POST")
    request.add_header("Content-Type", "application/octet-stream")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    while True:
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.read(), json.loads(answer.headers["Anonymizer-Result"])["warnings"]
        except urllib.error.HTTPError as error:
            with error:
                if error.code not in (429, 503):
                    raise ValueError(json.load(error)["detail"]) from None
                time.sleep(int(error.headers["Retry-After"]))


if __name__ == "__main__":
    server, folder, output, *token = sys.argv[1:]
    for path in sorted(Path(folder).iterdir()):
        try:
            picture, warnings = redact(server, path.read_bytes(), *token)
        except ValueError as reason:
            print(f"{path.name}: not posted: {reason}")
            continue
        Path(output, path.name).write_bytes(picture)
        print(f"{path.name}: {'; '.join(warnings) or 'posted'}")
