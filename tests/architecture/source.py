"""The product's source, as the rules look at it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("contracts", "kit", "services", "studio_client")


@dataclass(frozen=True)
class Source:
    """One file of product code."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        """Its path in the repository."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def module(self) -> str:
        """What it is imported as."""
        return self.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def tree(self) -> ast.Module:
        """Its syntax."""
        return ast.parse(self.text, self.name)

    def imports(self) -> Iterator[str]:
        """Every module it imports, and every name it imports from one, wherever in the file."""
        for node in ast.walk(self.tree()):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.name}: imports are absolute"
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def product(*more: str) -> list[Source]:
    """Every file of the product (and of more packages), except migrations: they never change once applied."""
    found = [path for package in (*PACKAGES, *more) for path in sorted((ROOT / package).rglob("*.py"))]
    return [Source(path, path.read_text(encoding="utf-8")) for path in found if "migrations" not in path.parts]


def texts(tree: ast.AST) -> Iterator[ast.Constant]:
    """Every text in the code, also the parts of f-strings, but no docstrings."""
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and id(node) not in told:
            yield node


def under(module: str, *packages: str) -> bool:
    """Whether a module is one of the packages or lies in one."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)
