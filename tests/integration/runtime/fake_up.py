"""`up` with fake services: everything else is the real thing."""

from pathlib import Path

from services import __main__ as command_line
from services.commands import stack

stack.ENTRY = (str(Path(__file__).with_name("fake_services.py")),)

if __name__ == "__main__":
    command_line.main()
