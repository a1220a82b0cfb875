"""No file is a dumping ground, and importing one does nothing."""

import statistics
import subprocess
import sys

from tests.architecture.source import ROOT, product

MAX_LINES = 250
MAX_MEDIAN = 100

# An audit hook sees every socket, process, signal handler and written file, whoever opens it.
IMPORT_ALL = """
import sys
WATCHED = {"socket.bind", "socket.connect", "socket.getaddrinfo", "socket.sendto", "subprocess.Popen", "os.fork",
           "os.posix_spawn", "signal.signal"}
happened = []

def hook(event, arguments):
    wrote = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if event in WATCHED or (wrote and "__pycache__" not in str(arguments[0])):
        happened.append((sys.argv[-1], event, str(arguments)[:200]))

sys.addaudithook(hook)
import importlib
for module in sys.argv[1:]:
    before = len(happened)
    importlib.import_module(module)
    for event in happened[before:]:
        print(module, *event[1:])
import threading
print(*(f"thread {thread.name}" for thread in threading.enumerate()[1:]), end="")
"""


def test_no_file_is_a_dumping_ground() -> None:
    lines = {source.name: source.text.count("\n") for source in product("infra")}
    assert not {name: count for name, count in lines.items() if count > MAX_LINES}
    assert statistics.median(count for count in lines.values() if count) < MAX_MEDIAN
    assert not [name for name in lines if name.rpartition("/")[2] in {"utils.py", "helpers.py", "common.py", "misc.py"}]


def imported(*modules: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-B", "-c", IMPORT_ALL, *modules]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_nothing_happens_at_import() -> None:
    modules = [source.module for source in product() if source.path.name not in {"__main__.py", "spawn.py"}]
    assert len(modules) > 50
    done = imported(*modules)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


def test_the_look_at_imports_sees_what_happens() -> None:
    done = imported("tests.architecture.loud")
    assert "socket.bind" in done.stdout
    assert "thread loud" in done.stdout
