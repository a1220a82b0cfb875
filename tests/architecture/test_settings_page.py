"""Every setting is on the page about settings, and says what it is for."""

from kit import settings_docs


def test_the_page_about_settings_is_up_to_date() -> None:
    assert settings_docs.PATH.read_text(encoding="utf-8") == settings_docs.page(), "run: task docs"


def test_every_setting_is_named_and_explained() -> None:
    known = list(settings_docs.variables())
    assert len(known) > 25
    for _, variable, field in known:
        assert f"`{variable}`" in settings_docs.page()
        assert field.description, f"{variable} has no description"
