"""Central and local parts of the fiscal subsidy, against published figures."""

from __future__ import annotations

import pytest

from actuarial.fund.subsidy import subsidy_split


@pytest.mark.parametrize(
    ("year", "standard", "tier", "central"),
    [(2017, 450, 1, 324), (2011, 200, 2, 108), (2021, 580, 2, 348), (2021, 580, 1, 464), (2022, 610, 1, 488), (2023, 640, 1, 512)],
    ids=["Yunnan 2017", "Hainan district 2011", "Shanxi 2021 centre", "Shanxi 2021 west", "Gansu 2022", "Gansu 2023"],
)  # fmt: skip
def test_published_central_amounts(year: int, standard: float, tier: int, central: float) -> None:
    """The central amount is the published one, and both parts make the standard."""
    split = subsidy_split(year, standard, tier)
    assert split.central == pytest.approx(central, abs=1e-9)
    assert split.table["per_capita"].sum() == pytest.approx(standard)


def test_the_rule_is_that_of_the_year() -> None:
    """Yunnan's 450 yuan of 2017 would give 360 under the rule from 2019, not the published 324."""
    assert subsidy_split(2019, 450, 1).central == pytest.approx(360)
    assert subsidy_split(2018, 450, 1).central == pytest.approx(324)


def test_whole_financings() -> None:
    """A Hainan district's five payers make 300 yuan with the centre's 108; Huaibei's 610 of 960 yuan in 2022 are 63.54%."""
    assert 50 + subsidy_split(2011, 200, 2).central + 28 + 66 + 48 == pytest.approx(300)
    split = subsidy_split(2022, 610, 2)
    assert (split.central + split.local) / (split.standard + 350) == pytest.approx(0.6354, abs=5e-5)
