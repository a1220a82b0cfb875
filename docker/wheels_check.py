"""Whether every package of the image has a wheel for every machine that it is built for: `wheels_check.py`.

pip builds nothing in the image (`--only-binary :all:`), so a package without a wheel for arm64 stops that build, and
whoever builds for amd64 only never sees it. Asks the package index, installs nothing, takes seconds. Exit code 1: one
has no wheel. Hashes are not compared before something is downloaded, but `task lock` writes down those of all wheels.
"""

import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from runtime_lock import runtime_lock

ROOT = Path(__file__).resolve().parents[1]
PLATFORMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28")
"""As uv names them. Debian, under python:3.11-slim, has a newer C library than they ask for."""
PYTHON = "3.11"
UV = Path(sysconfig.get_path("scripts")) / "uv"
SECONDS = 300


def without_wheel(lock: str, platform: str) -> str:
    """What uv says against installing the lock there; nothing if it could."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "runtime.lock"
        file.write_text(lock, encoding="utf-8")
        command = (
            *(str(UV), "pip", "install", "--dry-run", "--quiet", "--no-deps", "--require-hashes"),
            *("--only-binary", ":all:", "--python-platform", platform, "--python-version", PYTHON),
            *("--target", f"{folder}/nowhere", "--requirement", str(file)),
        )
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)  # noqa: S603
    return "" if done.returncode == 0 else done.stderr.strip() or f"uv ended with exit code {done.returncode}"


def main() -> int:
    """Ask for each platform."""
    lock = runtime_lock(
        *((ROOT / name).read_text(encoding="utf-8") for name in ("pyproject.toml", "requirements.lock"))
    )
    failed = 0
    for platform in PLATFORMS:
        problem = without_wheel(lock, platform)
        failed |= bool(problem)
        sys.stdout.write(f"{platform}: {problem or 'every package of the image has a wheel'}\n")
    return failed


if __name__ == "__main__":
    sys.exit(main())
