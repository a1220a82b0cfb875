"""What is taken out of the image's packages, and that what we call of AWS is still there."""

import importlib.util
import re
import shutil
from pathlib import Path

import botocore
import pytest
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from botocore.session import Session

from tests.architecture.source import ROOT, product

_spec = importlib.util.spec_from_file_location("trim", ROOT / "docker" / "trim.py")
assert _spec is not None
assert _spec.loader is not None
trim = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(trim)

KEPT = ["botocore/__init__.py", "botocore/data/endpoints.json", "numpy/_core/multiarray.py", "chat/tests/ours.py"]


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """Packages as they are installed."""
    services = [f"botocore/data/{name}/2020-01-01/service-2.json.gz" for name in (*trim.AWS_SERVICES, "ec2", "rds")]
    for name in (*KEPT, *services, *(f"{folder}/test_it.py" for folder in trim.TESTS)):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * 100)
    return tmp_path


def test_only_what_nothing_reads_goes(packages: Path) -> None:
    assert trim.trim(packages) == 100 * (2 + len(trim.TESTS))
    left = {path.relative_to(packages).as_posix() for path in packages.rglob("*") if path.is_file()}
    services = {f"botocore/data/{name}/2020-01-01/service-2.json.gz" for name in trim.AWS_SERVICES}
    assert left == {*KEPT, *services}


@pytest.mark.parametrize("name", ["botocore/data/sesv2", "numpy/lib/tests"])
def test_a_package_that_has_changed_stops_the_build_and_nothing_is_gone(packages: Path, name: str) -> None:
    shutil.rmtree(packages / name)
    with pytest.raises(SystemExit, match=f"not among the packages: {name};"):
        trim.trim(packages)
    assert (packages / "botocore" / "data" / "ec2").is_dir()


def test_every_service_of_aws_that_we_call_is_kept() -> None:
    called = {name for source in product() for name in re.findall(r'create_client\(\s*"([\w-]+)"', source.text)}
    assert called
    assert called <= trim.AWS_SERVICES


def test_botocore_can_do_with_what_is_kept(tmp_path: Path) -> None:
    data = Path(botocore.__file__).parent / "data"
    left_out = [folder.name for folder in data.iterdir() if folder.is_dir() and folder.name not in trim.AWS_SERVICES]
    shutil.copytree(data, tmp_path / "data", ignore=shutil.ignore_patterns(*left_out))
    session = Session()
    session.register_component(
        "data_loader", Loader(extra_search_paths=[str(tmp_path / "data")], include_default_search_paths=False)
    )
    for name in trim.AWS_SERVICES:
        assert session.create_client(name, region_name="eu-central-1").meta.service_model.operation_names
    with pytest.raises(UnknownServiceError):
        session.create_client("ec2", region_name="eu-central-1")
