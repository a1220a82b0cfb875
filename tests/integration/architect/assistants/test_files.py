"""Files: their text is found when they are given, kept for runs, and its owner's alone."""

import asyncio

from contracts.architect_assistants import DeleteFile, GetFile, GiveFile
from contracts.chat_values import Deleted
from kit.db.database import Database
from kit.ids import new_id
from services.architect.file_store import files_of
from services.architect.inputs import FileText
from tests.fixtures import documents
from tests.integration.architect.assistants.world import COLLEAGUE, OWNER, STRANGER, World


async def test_a_file_is_kept_as_text(world: World) -> None:
    data = documents.pdf("Hello, Ada.")
    given = await world.give(data, "paper.pdf")
    assert (given.name, given.media_type, given.bytes) == ("paper.pdf", "application/pdf", len(data))
    assert (given.text, given.characters) == ("Hello, Ada.", 11)
    assert await world.ask(GetFile(owner=OWNER, file_id=given.id)) == given
    again = await world.give(b"something else", "other.txt", file_id=given.id)
    assert again == given, "an id that the owner has is that file"


async def test_a_file_is_its_owners_alone(world: World) -> None:
    given = await world.give(b"secret", "a.txt")
    for owner in (COLLEAGUE, STRANGER):
        for request in (GetFile, DeleteFile):
            problem = (await world.refusal(request(owner=owner, file_id=given.id))).problem
            assert problem.code == "unknown_file"
            assert (await world.refusal(request(owner=owner, file_id=new_id("file")))).problem == problem
    theirs = await world.give(b"theirs", "b.txt", owner=COLLEAGUE, file_id=given.id)
    assert theirs.text == "theirs", "the same id is another file there"
    assert (await world.ask(GetFile(owner=OWNER, file_id=given.id))).text == "secret"


async def test_a_deleted_file_is_gone(world: World) -> None:
    given = await world.give(b"text", "a.txt")
    assert await world.ask(DeleteFile(owner=OWNER, file_id=given.id)) == Deleted()
    assert await world.refused(DeleteFile(owner=OWNER, file_id=given.id)) == "unknown_file"
    assert await world.refused(GetFile(owner=OWNER, file_id=given.id)) == "unknown_file"


async def test_the_same_file_several_times_at_once_is_one(world: World) -> None:
    await world.replica()
    file_id = new_id("file")
    given = await asyncio.gather(*(world.give(b"text", "a.txt", file_id=file_id) for _ in range(4)))
    assert all(each == given[0] for each in given)
    assert len(await world.rows("SELECT id FROM architect.file")) == 1


async def test_what_a_run_needs_of_files(world: World) -> None:
    first, second = (
        await world.give(b"one", "1.txt"),
        await world.give(b"two\x00 and a few more words, to be a text", "2.md"),
    )
    foreign = await world.give(b"theirs", "3.txt", owner=COLLEAGUE)
    database = Database(world.settings.database, "architect")
    wanted = {first.id, second.id, foreign.id, "unknown"}
    found = await database.run(lambda session: files_of(session, OWNER, wanted))
    none = await database.run(lambda session: files_of(session, OWNER, ()))
    await database.close()
    assert none == {}
    assert found == {
        first.id: FileText(id=first.id, name="1.txt", media_type="text/plain", bytes=3, text="one"),
        second.id: FileText(
            id=second.id,
            name="2.md",
            media_type="text/markdown",
            bytes=39,
            text="two and a few more words, to be a text",
        ),
    }


async def test_what_is_refused_is_not_kept(world: World) -> None:
    for replica in world.replicas:
        await replica.stop()
    world.replicas.clear()
    await world.replica(max_file_bytes=5_000, max_file_characters=20)

    async def refused(data: str, name: str = "a.txt") -> str:
        return await world.refused(GiveFile(owner=OWNER, file_id=new_id("file"), name=name, data=data))

    assert await refused("eA==" * 3_000) == "file_too_large"
    assert await refused("eHh4" * 10) == "file_too_large"
    assert await refused("no base64!") == "file_unreadable"
    assert await refused("") == "file_unreadable"
    assert await refused("eHh4", "a.pdf") == "file_unreadable"
    assert await refused("eHh4", "a\x00.txt") == "invalid_text"
    assert await world.rows("SELECT id FROM architect.file") == []
