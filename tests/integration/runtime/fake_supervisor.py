"""A supervisor in a process of its own, so that tests can kill it. Prints its children's process ids."""

import asyncio
import json
import os
import sys
from pathlib import Path

from kit.runtime import child
from kit.runtime.child import ChildSpec
from kit.runtime.guard import Guard
from kit.runtime.supervisor import Supervisor

READY = "import os,time;os.write(int(os.environ['STUDIO_READY_FD']),b'ready\\n');time.sleep(600)"
STUBBORN = f"import signal;signal.signal(signal.SIGTERM,signal.SIG_IGN);{READY}"


async def main() -> None:
    if os.environ.get("FAKE_GUARDED_BY") == "guard only":  # as on systems other than Linux
        child._SPAWN = str(Path(__file__).with_name("fake_spawn.py"))
    supervisor = Supervisor(guard=Guard(grace_seconds=1), say=print)
    await supervisor.start(
        ChildSpec(name="polite", command=(sys.executable, "-c", READY)),
        ChildSpec(name="stubborn", command=(sys.executable, "-c", STUBBORN)),
    )
    print(json.dumps(supervisor.pids), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
