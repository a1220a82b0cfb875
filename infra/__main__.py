"""What `cdk` runs (cdk.json). By hand: `python -m infra -c profile=dev -c image_tag=git-0123abc`."""

import argparse
import sys
from pathlib import Path

from infra.choices import ChoiceError, from_context
from infra.node import find_node
from kit.runtime.errors import StartError


def main() -> None:
    """Write the templates into a folder, or where `cdk` says."""
    parser = argparse.ArgumentParser(prog="python -m infra")
    parser.add_argument("-c", "--context", action="append", default=[], metavar="KEY=VALUE", help="as for `cdk`")
    parser.add_argument("-o", "--output", type=Path, help="the folder for the templates; usually `cdk` says")
    given = parser.parse_args()
    find_node()
    from infra.app import add_stacks, make_app, profile_of  # only now: it starts Node

    context = dict(pair.partition("=")[::2] for pair in given.context)
    app = make_app(given.output, context)
    add_stacks(app, profile_of(app.node.try_get_context("profile") or ""), from_context(app.node.try_get_context))
    app.synth()


if __name__ == "__main__":
    try:
        main()
    except (ChoiceError, StartError) as error:
        sys.exit(f"error: {error}")
