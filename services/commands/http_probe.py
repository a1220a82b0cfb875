"""The smallest HTTP client: is somebody ready? (An HTTP library would cost the start of the stack 0.2 s.)"""

import asyncio

PROBE_SECONDS = 2.0


async def status_of(host: str, port: int, path: str) -> int:
    """The status of a GET. Raises OSError, TimeoutError, IncompleteReadError or ValueError when there is no answer."""
    async with asyncio.timeout(PROBE_SECONDS):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            name = f"[{host}]" if ":" in host else host
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {name}:{port}\r\nConnection: close\r\n\r\n".encode())
            line = await reader.readuntil(b"\r\n")
        finally:
            writer.close()
    return int(line.split()[1])
