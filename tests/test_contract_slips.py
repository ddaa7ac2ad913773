"""Slips of whoever settles or bargains for the first time: refused with a remedy, never passed over."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
import yaml

import actuarial as act
from actuarial.cli import main
from actuarial.contract.fair import fair_target

JIANDE = "china/jiande/contract/cooperation@2012-01-01"
HAINAN = "china/hainan/contract/critical_illness@2014-01-01"
YEARS = ("--lognormal", "183000000,0.05", "--heads", "400000", "--paths", "200")


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, what is printed, and what is said of faults."""
    with pytest.raises(SystemExit) as ended:
        main(["contract", *words, "--lang", "en"])
    return int(ended.value.code or 0), *capsys.readouterr()


def months(folder: Path, claims: float) -> str:
    """A table of twelve equal months."""
    rows = "\n".join(f"{m},{claims:.0f},400000" for m in range(1, 13))
    file = folder / "months.csv"
    file.write_text(f"月份,赔付支出（元）,参保人数\n{rows}", encoding="utf-8")
    return str(file)


def own_contract(folder: Path) -> str:
    """The contract of 2012 as a county's own file, with a cap and open gaps read."""
    source = Path(act.__file__).parent / "law" / f"{JIANDE}.yaml"
    data = yaml.safe_load(source.read_text(encoding="utf-8"))
    data["id"] = "china/somewhere/contract/mine@2012-01-01"
    data["payload"]["caps"] = [{"party": "insurer", "side": "surplus", "amount": 1_000_000}]
    file = folder / "mine@2012-01-01.yaml"
    file.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return str(file)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--claims", "1e8", "--target", "1e8", "--event", "complant=1"), "--event"),
        (("--claims", "1e8", "--target", "1e8", "--late-claims", "5", "--out", "o"), "--late-claims、--out"),
        (("--months", "m.csv", "--late-last-year", "add"), "settlement.json"),
        (("--months", "m.csv", "--budget", "1"), "--budget"),
    ],
)
def test_an_option_that_would_change_nothing_is_refused(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], named: str
) -> None:
    code, said, fault = run(capsys, "settle", JIANDE, *words)
    assert code == 2
    assert named in fault
    assert not said


def test_heads_give_the_target_of_a_year(capsys: pytest.CaptureFixture[str]) -> None:
    by_heads = run(capsys, "settle", JIANDE, "--heads", "400000", "--claims", "180000000")
    assert by_heads == run(capsys, "settle", JIANDE, "--target", "185600000", "--claims", "180000000")
    assert "2,650,000.00" in by_heads[1]  # 45% of 3 million, half of 2.6 million


def test_lines_of_a_year_sum_to_its_result(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    _, said, _ = run(capsys, "settle", own_contract(tmp_path), "--heads", "400000", "--claims", "180000000")
    assert "−1,650,000.00" in said  # the cap takes off what the bands give beyond a million
    assert "insurer 1,000,000.00; fund 4,600,000.00" in said


def test_a_filled_template_is_not_overwritten(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    mine, file = own_contract(tmp_path), tmp_path / "year.xlsx"
    assert run(capsys, "settle", mine, "--template", str(file))[0] == 0
    before = file.read_bytes()
    code, _, fault = run(capsys, "settle", mine, "--template", str(file))
    assert code == 2
    assert "not overwritten" in fault
    assert file.read_bytes() == before
    guide = openpyxl.load_workbook(file).worksheets[-1]
    assert "settle mine@2012-01-01.yaml --months" in str(guide["A5"].value)


def test_a_wrong_unit_is_pointed_out(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    chosen = ("later_instalments=twelfth", "presettlement_base=month", "reward_above_reserve=not_paid")
    read = [word for reading in chosen for word in ("--reading", reading)]
    for claims, doubted in ((1500.0, True), (15_000_000.0, False)):
        code, said, fault = run(capsys, "settle", JIANDE, "--months", months(tmp_path, claims), *read)
        assert (code, fault) == (0, "")
        assert ("Check the units" in said) == doubted


def test_readings_go_to_the_contract_that_has_the_gap(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("compare", JIANDE, HAINAN, *YEARS, "--premium", "185600000", "--target", "185600000")
    read = ("--reading", "expense_rate=0.03", "--reading", "policy_share=0.5")
    code, said, fault = run(capsys, *words, *read)
    assert (code, fault) == (0, ""), fault
    assert "Hainan" in said
    assert run(capsys, *words, *read, "--reading", "nonesuch=1")[0] == 2


def test_an_offer_named_twice_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, fault = run(capsys, "compare", JIANDE, *YEARS, "--offer", "a:target=1e8", "--offer", "a:target=2e8")
    assert '"--offer"' in fault
    assert "named twice" in fault


def test_a_margin_that_is_no_number_is_refused() -> None:
    with pytest.raises(act.InputError, match="margin"):
        fair_target(act.load_contract(JIANDE), claims=[1e8, 2e8], margin=float("nan"))


def test_an_unknown_id_is_told_the_contracts_alone() -> None:
    with pytest.raises(act.InputError) as caught:
        act.load_contract("jiande")
    assert "/ncms/" not in str(caught.value)
    assert JIANDE in str(caught.value)


def test_equal_numbers_are_one_group() -> None:
    """Years with the same number of events are told together, however many they are."""
    claims = act.SimpleClaims(183e6, 0.05).claims(100)
    found = act.load_contract(JIANDE).evaluate(claims=claims, heads=400_000)
    table = found.conditional([0] * 55 + list(range(1, 46)), groups=5)
    assert table["probability"].tolist() == [0.6, 0.2, 0.2]
    assert (table["low"].iloc[1:].to_numpy() > table["high"].iloc[:-1].to_numpy()).all()


def test_an_offer_of_another_target_says_so() -> None:
    plan = act.load_contract(JIANDE)
    claims = act.SimpleClaims(183e6, 0.05).claims(50)
    offers = act.compare_offers({"a": plan, "b": plan}, claims=claims, target=185.6e6, targets={"b": 184e6})
    assert offers.differs("b", "zh") == ("标的 18,400.00 万元",)
    assert offers.differs("a", "zh") == ()
