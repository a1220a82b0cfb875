"""Subjects live on one page, streams are declared in one place, and no string reaches the bus."""

import ast
import re
from collections.abc import Iterator

from contracts import subjects
from tests.architecture.source import product, texts

PAGE, STREAMS = "contracts/subjects.py", "kit/bus/streams.py"
WORDS = sorted({subject.partition(".")[0] for subject in subjects.SUBJECTS_ARE_FOR} | {"timer", "count"})
SUBJECT = re.compile(rf"({'|'.join(WORDS)})\.($|[a-z*>{{])")
"""A subject, or the beginning of one that an f-string goes on with."""


def _shown(node: ast.Constant) -> str:
    return node.value.decode("latin-1") if isinstance(node.value, bytes) else str(node.value)


def test_no_subject_is_written_outside_its_page() -> None:
    assert {"evt", "rpc", "work", "log", "live", "control", "dead"} <= set(WORDS)
    found = []
    for source in product():
        for node in texts(source.tree()):
            if SUBJECT.match(_shown(node)) and source.name != PAGE:
                found.append(f"{source.name}:{node.lineno} {node.value!r}")
    assert not found


def test_the_look_for_subjects_finds_them() -> None:
    code = '"""log.x"""\na = f"evt.{b}"\nc = b"live.t", "rpc.>", "catalog.x", "log me"'
    seen = [_shown(node) for node in texts(ast.parse(code))]
    assert [value for value in seen if SUBJECT.match(value)] == ["evt.", "live.t", "rpc.>"]


def _named_streams(tree: ast.AST) -> Iterator[int]:
    """Where a stream is given to FastStream as a text: it would rewrite the stream's settings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "stream" and _is_text(node.value):
            yield node.value.lineno
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "stream" and _is_text(value):
                    yield value.lineno


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def test_no_subscriber_names_its_stream_by_a_text() -> None:
    assert not [(source.name, line) for source in product() for line in _named_streams(source.tree())]
    assert list(_named_streams(ast.parse('broker.subscriber("x", stream="RUNS")'))) == [1]
    assert list(_named_streams(ast.parse('{"stream": "RUNS"}'))) == [1]


def _declared(tree: ast.AST) -> Iterator[bool]:
    """For each JStream made, whether it leaves the declaring to kit/bus/streams.py."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "JStream":
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            declare = given.get("declare")
            yield isinstance(declare, ast.Constant) and declare.value is False


def test_no_stream_is_declared_outside_its_place() -> None:
    answers = [answer for source in product() for answer in _declared(source.tree())]
    assert answers, "FastStream is given streams somewhere"
    assert all(answers)
    creates = [source.name for source in product() if "STREAM.CREATE" in source.text or "add_stream(" in source.text]
    assert creates == [STREAMS]
