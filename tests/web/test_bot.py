"""The example of a client does what it says, against a real server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from fakes import noise
from web.served import TOKEN, png, serving

BOT = Path(__file__).with_name("bot.py")


def test_a_bot_posts_what_was_redacted_and_names_what_was_refused(tmp_path: Path) -> None:
    pictures, posted = tmp_path / "in", tmp_path / "out"
    pictures.mkdir()
    posted.mkdir()
    for name in ("a.png", "b.png"):
        (pictures / name).write_bytes(png(noise(40, 60)))
    (pictures / "c.txt").write_text("hello")
    with serving(token=TOKEN) as served:
        command = [sys.executable, str(BOT), served.address, str(pictures), str(posted)]
        done = subprocess.run([*command, TOKEN], capture_output=True, text=True, check=True)
        refused = subprocess.run(command, capture_output=True, text=True, check=True)
        expected = served.client.post(
            "/v1/redact?method=solid", content=png(noise(40, 60)), headers={"Authorization": f"Bearer {TOKEN}"}
        )
    lines = done.stdout.splitlines()
    assert lines[:2] == ["a.png: posted", "b.png: posted"]
    assert lines[2].startswith("c.txt: not posted: the file is no film, and no picture in")
    assert sorted(path.name for path in posted.iterdir()) == ["a.png", "b.png"]
    assert (posted / "a.png").read_bytes() == expected.content
    assert refused.stdout.count("not posted: send the token of the server") == 3


def test_the_example_is_short() -> None:
    lines = BOT.read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line.strip()]) <= 40
