"""How much of the image has to be pulled: `size_check.py FILE MEGABYTES`. Exit code 1 when it is too much.

FILE is an image as an OCI archive, which is what a registry would have: layers are compressed in it. What `docker save`
writes will do too: layers are not compressed there, so they are here, as a builder does it, to be counted.
"""

import json
import sys
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

MEGABYTE = 1_000_000
UNCOMPRESSED = ("application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar")


def manifests(archive: tarfile.TarFile, digest: str) -> Iterator[dict[str, Any]]:
    """Every image that a digest leads to; an index leads to one for each platform."""
    found: dict[str, Any] = _json(archive, f"blobs/{digest.replace(':', '/')}")
    if "manifests" not in found:
        yield found
    for each in found.get("manifests", ()):
        if each.get("annotations", {}).get("vnd.docker.reference.type") != "attestation-manifest":
            yield from manifests(archive, each["digest"])


def sizes(path: Path) -> Iterator[tuple[str, int]]:
    """Each platform, and the bytes of its layers as they are pulled."""
    with tarfile.open(path) as archive:
        for entry in _json(archive, "index.json")["manifests"]:
            for manifest in manifests(archive, entry["digest"]):
                about = _json(archive, f"blobs/{manifest['config']['digest'].replace(':', '/')}")
                pulled = sum(_pulled(archive, layer) for layer in manifest["layers"])
                yield f"{about['os']}/{about['architecture']}", pulled


def _pulled(archive: tarfile.TarFile, layer: dict[str, Any]) -> int:
    """The bytes of one layer as a registry would have it."""
    if layer.get("mediaType") not in UNCOMPRESSED:
        return int(layer["size"])
    file = _file(archive, f"blobs/{layer['digest'].replace(':', '/')}")
    gzip = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    return sum(len(gzip.compress(part)) for part in iter(lambda: file.read(MEGABYTE), b"")) + len(gzip.flush())


def _json(archive: tarfile.TarFile, name: str) -> Any:
    return json.load(_file(archive, name))


def _file(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    file = archive.extractfile(name)
    if file is None:
        raise SystemExit(f"error: {name} is no file")
    return file


def main(path: str, megabytes: str) -> int:
    """Say how large each is."""
    found = list(sizes(Path(path)))
    if not found:
        raise SystemExit(f"error: there is no image in {path}")
    for platform, size in found:
        sys.stdout.write(f"{platform}: {size / MEGABYTE:.0f} MB to pull, of {megabytes} MB at most\n")
    return int(any(size > float(megabytes) * MEGABYTE for _, size in found))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
