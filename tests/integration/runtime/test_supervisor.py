import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest
from polling import eventually, is_alive

from kit.runtime.child import ChildSpec
from kit.runtime.errors import StartError
from kit.runtime.guard import Guard
from kit.runtime.supervisor import Supervisor

READY = "import os,time;os.write(int(os.environ['STUDIO_READY_FD']),b'ready\\n');time.sleep(600)"
FAKE = Path(__file__).with_name("fake_supervisor.py")
ROOT = Path(__file__).parents[3]


def child(name: str, code: str = READY, **more: object) -> ChildSpec:
    return ChildSpec(name=name, command=(sys.executable, "-c", code), **more)  # type: ignore[arg-type]


async def test_a_killed_child_comes_back_and_one_line_says_so() -> None:
    said: list[str] = []
    supervisor = Supervisor(guard=Guard(), say=said.append)
    await supervisor.start(child("a"))
    first = supervisor.pids["a"]
    os.kill(first, signal.SIGKILL)
    await eventually(lambda: any("a is back" in line for line in said), "the child is back")
    assert supervisor.pids["a"] != first
    assert said[0] == "a was killed by SIGKILL; starting it again in 0.1 s"
    await supervisor.stop()


async def test_the_pause_grows_while_a_child_keeps_failing(tmp_path: Path) -> None:
    said: list[str] = []
    flag = tmp_path / "works"
    flag.touch()
    code = f"import os,sys\nif not os.path.exists({str(flag)!r}): sys.exit('no flag')\n{READY}"
    supervisor = Supervisor(guard=Guard(), say=said.append)
    await supervisor.start(child("a", code))
    flag.unlink()
    os.kill(supervisor.pids["a"], signal.SIGKILL)
    await eventually(lambda: len(said) >= 3, "three attempts")
    assert [line.rpartition(" in ")[2] for line in said[:3]] == ["0.1 s", "0.2 s", "0.4 s"]
    assert "no flag" in said[1]
    flag.touch()
    await eventually(lambda: "a is back" in said[-1], "the child is back")
    await supervisor.stop()


async def test_the_next_stage_starts_when_the_first_is_ready_and_stops_before_it(tmp_path: Path) -> None:
    log = tmp_path / "log"

    def code(name: str) -> str:
        return (
            f"import os,signal,sys\nlog=lambda t: open({str(log)!r},'a').write(t+'\\n')\n"
            f"def stop(*_):\n log('stop {name}'); sys.exit(0)\n"
            f"signal.signal(signal.SIGTERM, stop)\nlog('start {name}')\n{READY}"
        )

    supervisor = Supervisor(guard=Guard(), say=print)
    await supervisor.start(child("a", code("a")))
    await supervisor.start(child("b", code("b")))
    await supervisor.stop()
    assert log.read_text().split("\n")[:4] == ["start a", "start b", "stop b", "stop a"]


async def test_a_failed_start_says_why_and_leaves_nothing() -> None:
    supervisor = Supervisor(guard=Guard(), say=print)
    with pytest.raises(StartError, match="bad ended with exit code 1: the reason"):
        await supervisor.start(child("good"), child("bad", "import sys; sys.exit('the reason')"))
    with pytest.raises(StartError, match="cannot start /does/not/exist"):
        await supervisor.start(ChildSpec(name="none", command=("/does/not/exist",)))
    with pytest.raises(StartError, match="slow was not ready after 0 s"):
        await supervisor.start(child("slow", "import time; time.sleep(600)", start_seconds=0.2))
    left = list(supervisor.pids.values())
    await supervisor.stop()
    assert not any(is_alive(pid) for pid in left)


async def test_a_child_that_does_not_stop_is_killed_with_all_it_has_started(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    code = (
        "import signal,subprocess,sys\nsignal.signal(signal.SIGTERM,signal.SIG_IGN)\n"
        "p=subprocess.Popen([sys.executable,'-c','import time; time.sleep(600)'])\n"
        f"open({str(pid_file)!r},'w').write(str(p.pid))\n{READY}"
    )
    supervisor = Supervisor(guard=Guard(), say=print)
    await supervisor.start(child("stubborn", code, stop_seconds=0.2))
    pids = [supervisor.pids["stubborn"], int(pid_file.read_text())]
    await supervisor.stop()
    for pid in pids:
        await eventually(lambda pid=pid: not is_alive(pid), "it is gone")


async def test_a_killed_guard_is_replaced() -> None:
    said: list[str] = []
    guard = Guard()
    supervisor = Supervisor(guard=guard, say=said.append)
    await supervisor.start(child("a"))
    first = guard._process
    first.kill()
    first.wait()
    os.kill(supervisor.pids["a"], signal.SIGKILL)
    await eventually(lambda: said and "a is back" in said[-1], "the child is back")
    assert guard._process is not first
    await supervisor.stop()


@pytest.mark.parametrize("guarded_by", ["kernel and guard", "guard only"])
async def test_nothing_is_left_when_the_supervisor_is_killed(guarded_by: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FAKE_GUARDED_BY": guarded_by}
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable, str(FAKE), stdout=asyncio.subprocess.PIPE, env=environment
    )
    assert supervisor.stdout is not None
    pids = json.loads(await supervisor.stdout.readline())
    assert all(is_alive(pid) for pid in pids.values())
    supervisor.kill()
    await supervisor.wait()
    for name, pid in pids.items():
        await eventually(lambda pid=pid: not is_alive(pid), f"{name} is gone")
