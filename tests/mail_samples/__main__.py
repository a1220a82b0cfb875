"""Write every sample as HTML, text and .eml into a folder, and as pictures if there is a Chromium.

python -m tests.mail_samples FOLDER
"""

import asyncio
import sys
from pathlib import Path

from kit.notifier_settings import NotifierSettings
from services.notifier.mail.message import Recipient, compose
from tests.mail_samples.chromium import browser, chromium_or_none
from tests.mail_samples.contents import SAMPLES

VIEWS = {"light": (720, "light"), "dark": (720, "dark"), "narrow": (360, "light"), "narrow-dark": (360, "dark")}
LINK = "https://studio.example.com/v1/runs/{run_id}"
UNSUBSCRIBE = "https://studio.example.com/v1/notifications/unsubscribe/q6n1v0"


def write(folder: Path) -> list[Path]:
    """The pages."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = NotifierSettings(sender="AI Studio <studio@example.com>")
    pages = []
    for name, content in SAMPLES.items():
        message = compose(
            content,
            Recipient("ada@example.com", "Ada Lovelace"),
            settings,
            message_id=f"<dlv_{name}@example.com>",
            link=LINK.format(run_id=content.run_id),
            unsubscribe=UNSUBSCRIBE,
        )
        text, page = (part.get_content() for part in message.iter_parts())
        (folder / f"{name}.eml").write_bytes(message.as_bytes())
        (folder / f"{name}.txt").write_text(text, "utf-8")
        (folder / f"{name}.html").write_text(page, "utf-8")
        pages.append(folder / f"{name}.html")
        print(f"{message['Subject']}  ({len(page.encode()) / 1024:.1f} KiB of HTML)")
    return pages


async def draw(pages: list[Path], binary: str) -> bool:
    """A picture of every page in every view; whether all of them can be read."""
    well = True
    async with browser(binary) as window:
        for page in pages:
            for view, (width, scheme) in VIEWS.items():
                seen = await window.show(page.resolve(), width=width, scheme=scheme)
                picture = await window.picture(width, seen["height"])
                page.with_name(f"{page.stem}-{view}.png").write_bytes(picture)
                for problem in ("faint", "wide", "loaded"):
                    if seen[problem]:
                        well = False
                        print(f"{page.stem}-{view}: {problem}: {seen[problem]}")
    return well


def main() -> None:
    """All of it."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build/mail-samples")
    pages = write(folder)
    if binary := chromium_or_none():
        if not asyncio.run(draw(pages, binary)):
            sys.exit("some of it cannot be read well")
    else:
        print("There is no Chromium here, so there are no pictures.")
    print(f"written to {folder.resolve()}")


if __name__ == "__main__":
    main()
