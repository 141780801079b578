"""Early stopping: who is given up, who goes on."""

from __future__ import annotations

from lab.kinds.sweep import Asha, MedianStop
from providers.local._stopping import hopeless

MEDIAN = MedianStop(name="medianstop", min_trials_required=3, start_step=2)
GOOD, FAIR, POOR = {1: 0.5, 2: 0.9}, {1: 0.4, 2: 0.6}, {1: 0.1, 2: 0.2}


def stops(rule: MedianStop | Asha, mine: dict[int, float], *others: dict[int, float]) -> bool:
    return hopeless(rule, mine, others, others, maximize=True) != ""


def test_a_trial_below_the_median_of_averages_ends_but_not_before_the_first_step() -> None:
    assert stops(MEDIAN, POOR, GOOD, GOOD, FAIR)
    assert not stops(MEDIAN, {1: 0.1}, GOOD, GOOD, FAIR)
    assert not stops(MEDIAN, FAIR, GOOD, POOR, POOR)


def test_too_few_complete_trials_end_nobody() -> None:
    assert not stops(MEDIAN, POOR, GOOD, GOOD)


def test_what_is_small_is_good_where_it_is_to_be_small() -> None:
    three = (GOOD, GOOD, FAIR)
    assert hopeless(MEDIAN, POOR, three, three, maximize=False) == ""
    assert hopeless(MEDIAN, GOOD, (POOR,) * 3, (POOR,) * 3, maximize=False)


def test_asha_keeps_one_in_so_many_at_each_rung() -> None:
    rule = Asha(name="asha", start_step=1, reduction_factor=2)
    assert not stops(rule, FAIR), "the first at a rung goes on"
    assert stops(rule, POOR, GOOD, FAIR)
    assert not stops(rule, GOOD, FAIR, POOR)
    assert not stops(rule, {1: 0.1}), "nobody is there to compare with"


def test_a_trial_that_reported_nothing_goes_on() -> None:
    assert not stops(MEDIAN, {}, GOOD, GOOD, GOOD)
    assert not stops(Asha(name="asha"), {}, GOOD)
