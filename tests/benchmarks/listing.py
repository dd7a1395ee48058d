"""The memory that a listing of many keys under one prefix takes.

    python -m tests.benchmarks.listing [--keys 1000 10000 100000]

For each number, moto's S3 server in a process of its own holds so many keys, and another process walks them as a run
does. Prints the most memory that this process ever took, and the seconds. The server looks at all keys for each page of
a thousand, so that most of the time is its own.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from anonymizer.addresses import Address
from anonymizer.files.store_listing import StoreListing

sys.path.insert(0, str(Path(__file__).parents[1]))
from stores import BUCKET, s3_at

ROOT = Address("s3", BUCKET, "in")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--part", choices=("serve", "walk"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part == "serve":
        serve(given.keys[0])
    elif given.part == "walk":
        walk()
    else:
        for number in given.keys:
            measure(number)
        print(f"load {os.getloadavg()[0]:.1f}")


def measure(number: int) -> None:
    own = [sys.executable, "-m", "tests.benchmarks.listing", "--keys", str(number), "--part"]
    with subprocess.Popen(
        [*own, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        with s3_at(server.stdout.readline().strip()):
            subprocess.run([*own, "walk"], check=True)
        server.stdin.close()


def serve(number: int) -> None:
    """Says where it is, and stays until its input ends."""
    from moto.core.models import DEFAULT_ACCOUNT_ID
    from moto.s3.models import s3_backends
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    backend.create_bucket(BUCKET, "us-east-1")
    for index in range(number):
        backend.put_object(BUCKET, f"{ROOT.key}/{index:08}.jpg", b"", disable_notification=True)
    host, port = server.get_host_and_port()
    print(f"http://{host}:{port}", flush=True)
    sys.stdin.read()
    server.stop()


def walk() -> None:
    began_s = time.perf_counter()
    number = sum(1 for _ in StoreListing(ROOT, ("jpg",)))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"{number:7,} keys: {peak_mb:.0f} MB at most, {time.perf_counter() - began_s:.0f} s", flush=True)


if __name__ == "__main__":
    main()
