import logging

from kit.runtime.logging import OneLine


def render(message: str, *secrets: str, error: Exception | None = None) -> str:
    exc_info = (type(error), error, error.__traceback__) if error else None
    return OneLine("chat", secrets).format(logging.LogRecord("a.b", logging.INFO, "f", 1, message, (), exc_info))


def test_a_record_is_one_line_with_the_service_and_the_logger() -> None:
    line = render("one\ntwo", error=ValueError("three"))
    assert "\n" not in line
    assert " INFO chat a.b: one ⏎ two" in line
    assert line.endswith("ValueError: three")


def test_passwords_tokens_and_known_secrets_are_hidden() -> None:
    line = render("postgresql://postgres:p4ss@h/db Authorization: Bearer abc.def a-long-secret", "a-long-secret")
    assert "p4ss" not in line
    assert "abc.def" not in line
    assert "a-long-secret" not in line
    assert "postgresql://postgres:***@h/db" in line


def test_an_empty_secret_hides_nothing() -> None:
    assert "abc" in render("abc", "", "abc")
