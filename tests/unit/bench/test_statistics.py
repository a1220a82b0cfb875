import math

import pytest

from bench.statistics import median, percentile


@pytest.mark.parametrize(("fraction", "value"), [(0, 1), (0.5, 50), (0.9, 90), (0.99, 99), (1, 100)])
def test_a_percentile_is_a_measured_value(fraction: float, value: float) -> None:
    assert percentile(list(range(100, 0, -1)), fraction) == value


def test_a_percentile_of_few_is_the_nearest_rank() -> None:
    assert percentile([3.0], 0.99) == 3
    assert percentile([1.0, 2.0], 0.5) == 1
    assert math.isnan(percentile([], 0.5))


def test_a_median_leaves_out_what_was_not_measured() -> None:
    assert median([5, 1, math.nan, 3]) == 3
    assert median([1, 2]) == 1.5
    assert math.isnan(median([math.nan]))
