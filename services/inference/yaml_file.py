"""The YAML of a catalogue, before anybody looks at what the entries say."""

from pathlib import Path
from typing import Any

import yaml

MAX_FILE_BYTES = 4 * 1024 * 1024


class CatalogueError(Exception):
    """A catalogue that cannot be used; the message lists every mistake and is meant for the operator."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        super().__init__("\n".join(f"{path.name}: {problem}" for problem in problems))
        self.problems = problems


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice, which plain YAML would silently settle in favour of the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if twice := {str(key) for key in keys if keys.count(key) > 1}:
            raise yaml.constructor.ConstructorError(
                None, None, f"given twice: {', '.join(sorted(twice))}", node.start_mark
            )
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """The raw `providers` and `models` of a catalogue. Raises CatalogueError for a file of any other form."""
    try:
        with path.open(encoding="utf-8") as file:
            document = yaml.load(file.read(MAX_FILE_BYTES), Loader=_Loader)  # noqa: S506 - it is a SafeLoader
    except OSError as error:
        raise CatalogueError(path, [f"cannot be read: {error.strerror}. Check STUDIO_MODELS_FILE"]) from error
    except UnicodeDecodeError as error:
        raise CatalogueError(path, ["is not UTF-8"]) from error
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise CatalogueError(path, [f"{line}{error.problem or 'is not YAML'}"]) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise CatalogueError(path, [f"is not YAML: {error}"]) from error
    if not isinstance(document, dict) or not document.keys() <= {"providers", "models"}:
        raise CatalogueError(path, ["must have the two parts `providers:` and `models:` and nothing else"])
    providers, models = document.get("providers") or {}, document.get("models") or []
    problems = []
    if not isinstance(providers, dict) or not all(isinstance(fields, dict) for fields in providers.values()):
        problems.append("providers: must map names to their fields")
    if not isinstance(models, list) or not all(isinstance(fields, dict) for fields in models):
        problems.append("models: must be a list of entries with fields")
    if problems:
        raise CatalogueError(path, problems)
    return providers, models
