"""What has to be pulled of an image: its layers, for each platform."""

import hashlib
import importlib.util
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.source import ROOT

_spec = importlib.util.spec_from_file_location("size_check", ROOT / "docker" / "size_check.py")
assert _spec is not None
assert _spec.loader is not None
size_check = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(size_check)


class Archive:
    """An image as buildx writes it."""

    def __init__(self, path: Path) -> None:
        self._tar = tarfile.open(path, "w")  # noqa: SIM115

    def add(self, name: str, content: Any) -> None:
        data = json.dumps(content).encode()
        info = tarfile.TarInfo(name)
        info.size = len(data)
        self._tar.addfile(info, io.BytesIO(data))

    def blob(self, content: Any) -> dict[str, Any]:
        digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()
        self.add(f"blobs/sha256/{digest}", content)
        return {"digest": f"sha256:{digest}", "size": 1}

    def image(self, architecture: str, *sizes: int) -> dict[str, Any]:
        config = self.blob({"os": "linux", "architecture": architecture})
        return self.blob({"config": config, "layers": [{"size": size} for size in sizes]})

    def close(self, *manifests: dict[str, Any]) -> None:
        self.add("index.json", {"manifests": list(manifests)})
        self._tar.close()


@pytest.fixture
def both(tmp_path: Path) -> Path:
    """For two platforms, with an attestation beside them."""
    archive = Archive(tmp_path / "image.tar")
    note = {"digest": "sha256:none", "annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
    images = [archive.image("amd64", 100_000_000, 20_000_000), archive.image("arm64", 90_000_000)]
    archive.close(archive.blob({"manifests": [*images, note]}))
    return tmp_path / "image.tar"


def test_the_layers_of_each_platform_count(both: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert size_check.main(str(both), "150") == 0
    assert size_check.main(str(both), "110") == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "linux/amd64: 120 MB to pull, of 150 MB at most"
    assert said[3] == "linux/arm64: 90 MB to pull, of 110 MB at most"


def test_one_platform_needs_no_index_of_its_own(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "image.tar")
    archive.close(archive.image("amd64", 1, 2))
    assert list(size_check.sizes(tmp_path / "image.tar")) == [("linux/amd64", 3)]


def test_layers_that_are_not_compressed_count_as_if_they_were(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "image.tar")
    text = "word " * 100_000
    layer = archive.blob(text) | {"size": len(text), "mediaType": size_check.UNCOMPRESSED[0]}
    config = archive.blob({"os": "linux", "architecture": "amd64"})
    archive.close(archive.blob({"config": config, "layers": [layer]}))
    (found,) = size_check.sizes(tmp_path / "image.tar")
    assert 100 < found[1] < len(text) / 100


def test_no_image_is_no_small_image(tmp_path: Path) -> None:
    Archive(tmp_path / "image.tar").close()
    with pytest.raises(SystemExit, match="there is no image"):
        size_check.main(str(tmp_path / "image.tar"), "150")
