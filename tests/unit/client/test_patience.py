import pytest

from studio_client.patience import Backoff, Patience


def test_pauses_double_up_to_the_longest_and_progress_begins_anew() -> None:
    backoff = Backoff(Patience(lost=1000, pause=1, longest_pause=4))
    for expected in (1, 2, 4, 4):
        assert backoff.next_pause(0, reached=True) == pytest.approx(expected, rel=0.26)
    backoff.progressed()
    assert backoff.next_pause(0, reached=True) == pytest.approx(1, rel=0.26)


def test_the_server_says_the_pause() -> None:
    backoff = Backoff(Patience(lost=1000, pause=1))
    backoff.told(8000)
    assert backoff.next_pause(0, reached=True) == pytest.approx(8, rel=0.26), "also a longer one than ours"
    assert backoff.next_pause(0, at_least=30, reached=True) == 30
    backoff.told(0)
    backoff.progressed()
    assert backoff.next_pause(0, reached=True) == 0
    assert backoff.next_pause(0, reached=True) == pytest.approx(2, rel=0.26), "not in a tight circle"


def test_it_gives_up_sooner_on_a_server_that_never_answered() -> None:
    backoff = Backoff(Patience(first=10, lost=60, pause=1))
    assert backoff.next_pause(100, reached=False) is not None
    assert backoff.next_pause(111, reached=False) is None
    backoff.heard()
    assert backoff.next_pause(200, reached=True) is not None
    assert backoff.next_pause(240, reached=True) is not None
    assert backoff.next_pause(261, reached=True) is None


def test_a_long_silence_before_the_loss_costs_no_patience() -> None:
    backoff = Backoff(Patience(lost=60, pause=1))
    backoff.heard()
    assert backoff.next_pause(10_000, reached=True) is not None
