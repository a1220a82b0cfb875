"""A module that does at import what none of ours may; test_shape.py must notice."""

import socket
import threading

with socket.socket() as _listener:
    _listener.bind(("127.0.0.1", 0))
threading.Thread(target=threading.Event().wait, name="loud", daemon=True).start()
