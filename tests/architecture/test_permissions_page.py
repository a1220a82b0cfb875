"""What each user of the bus may do is on its page."""

from services import permissions_docs
from services.permissions import permissions


def test_the_page_about_permissions_is_up_to_date() -> None:
    assert permissions_docs.PATH.read_text(encoding="utf-8") == permissions_docs.page(), "run: task docs"


def test_no_service_may_make_a_consumer_or_a_stream() -> None:
    for user, allowed in permissions().items():
        makes = [subject for subject in allowed.publish if "CREATE" in subject or "UPDATE" in subject]
        assert bool(makes) == (user == "declare"), makes


def test_nobody_may_say_or_hear_everything() -> None:
    for user, allowed in permissions().items():
        for subject in (*allowed.publish, *allowed.subscribe):
            assert subject.split(".")[0] not in {">", "*"}, (user, subject)
            assert subject not in {"$JS.>", "$JS.API.>", "$SYS.>", "log.>", "_INBOX.>"}, (user, subject)
