"""Takes out of the image's packages what the product never reads: `trim.py SITE_PACKAGES`.

A quarter of what the packages weigh in a registry is descriptions of AWS services that we do not call, and the
packages' own tests. Only what is named here goes, and what is named must be there: a package that has changed its
layout stops the build, instead of growing the image unseen. Standard library only: it runs before anything of ours is
installed. That everything can still be imported is seen at the end of the Dockerfile.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

AWS_SERVICES = frozenset({"bedrock-runtime", "ecs", "s3", "sesv2", "signin", "sso", "sso-oidc", "stepfunctions", "sts"})
"""Those that we call (inference, notifier, workflows), and those from which botocore gets its credentials."""
TESTS = (
    "google/genai/tests",
    "greenlet/tests",
    "Crypto/SelfTest",
    *(f"numpy/{part}/tests" for part in ("_core", "lib", "linalg", "ma", "polynomial", "random", "typing")),
)


def unread(packages: Path) -> Iterator[Path]:
    """The folders that go. Raises SystemExit when one that is named here is not there."""
    described = {folder.name: folder for folder in (packages / "botocore" / "data").glob("*") if folder.is_dir()}
    tests = [packages / name for name in TESTS]
    missing = [f"botocore/data/{name}" for name in sorted(AWS_SERVICES - described.keys())]
    missing += [str(folder.relative_to(packages)) for folder in tests if not folder.is_dir()]
    if missing:
        raise SystemExit(f"error: not among the packages: {', '.join(missing)}; bring docker/trim.py up to date")
    yield from (folder for name, folder in sorted(described.items()) if name not in AWS_SERVICES)
    yield from tests


def trim(packages: Path) -> int:
    """Take it out; how many bytes that were."""
    total = 0
    for folder in unread(packages):
        total += sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        shutil.rmtree(folder)
    return total


if __name__ == "__main__":
    sys.stdout.write(f"{trim(Path(sys.argv[1])) / 1e6:.0f} MB that nothing reads are gone\n")
