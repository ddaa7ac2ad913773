"""The package as a user gets it: public names, wheel, locks, documents that agree with the code."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import actuarial as act

ROOT = Path(__file__).parent.parent

PUBLIC = [
    "Fleet",
    "compare_scenarios",
    "equalise",
    "pool",
    "reverse_stress",
    "moving_target",
    "tornado",
    "what_if",
    "trouble",
    "category_costs",
    "BenefitSchedule",
    "FitReport",
    "RepricedFactor",
    "Repricing",
    "UseAssumption",
    "load_schedule",
    "month_weighted_factor",
    "policy_factor",
    "reprice",
    "sort_claims",
    "ClaimsTable",
    "ExposureTable",
    "Triangle",
    "annualisation_backtest",
    "check_claims",
    "claim_cells",
    "claims_triangle",
    "read_triangle",
    "complete",
    "decompose",
    "experience_from_claims",
    "find_breaks",
    "fit_severity",
    "policy_factor_from_bands",
    "price_layer",
    "new_salt",
    "read_claims",
    "read_exposure",
    "run_off",
    "synthetic_claims",
    "write_marked_copy",
    "ActuarialError",
    "ActuarialWarning",
    "Answer",
    "AnnualBase",
    "Contract",
    "CostForecast",
    "Costs",
    "Effort",
    "SimpleClaims",
    "Wanted",
    "compare_offers",
    "design_bands",
    "fair_target",
    "value_of_terms",
    "DataWarning",
    "Experience",
    "ExpertGrowth",
    "Fund",
    "GrowthFit",
    "Backtest",
    "Forecast",
    "Prior",
    "ageing_factor",
    "backtest",
    "credibility",
    "driver_growth",
    "income_growth",
    "load_prior",
    "long_run",
    "InputError",
    "LANGUAGES",
    "ModelWarning",
    "MonthlyProfile",
    "Piecewise",
    "Plan",
    "PolicyFactor",
    "MonthlyActuals",
    "Simulation",
    "Source",
    "budget_draft",
    "build_report",
    "cost_forecast",
    "expert_growth",
    "fit_growth",
    "diff_laws",
    "list_laws",
    "load_benefit_layer",
    "load_contract",
    "load_law",
    "load_plan",
    "read_experience",
    "read_table",
    "run",
    "sample_path",
    "simple_target",
    "stated_policy_factor",
    "text",
    "use_language",
    "__version__",
    "year_on_year",
]


def test_public_names_are_pinned() -> None:
    """The public interface is this list; each name is there, and nothing heavy is loaded before it is used."""
    assert sorted(act.__all__) == sorted(PUBLIC)
    for name in PUBLIC:
        assert getattr(act, name) is not None
    with pytest.raises(AttributeError, match="no attribute"):
        _ = act.no_such_name
    code = "import sys, actuarial; print(sorted({'numpy', 'pandas', 'matplotlib', 'pydantic'} & set(sys.modules)))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )


def test_public_objects_have_docstrings_with_examples() -> None:
    """Every public function says what it does; those one calls first show it."""
    for name in PUBLIC:
        thing = getattr(act, name)
        if callable(thing):
            assert thing.__doc__, name
    for name in (
        "load_law",
        "load_contract",
        "simple_target",
        "expert_growth",
        "fit_growth",
        "cost_forecast",
        "Fund",
    ):
        thing = getattr(act, name)
        shown = (thing.__doc__ or "") + (thing.bands.__doc__ if name == "Contract" else "")
        assert ">>>" in shown or name in {"load_contract", "fit_growth"}, name


@pytest.mark.parametrize("lock", sorted((ROOT / "locks").glob("*.txt")), ids=lambda p: p.name)
def test_locks_are_plain(lock: Path) -> None:
    """Each line of a lock is ``name==version``: no address, no path, no option."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    assert len(lines) > 30
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+_-]+", line) for line in lines)


def test_lock_covers_every_dependency() -> None:
    """Every dependency of core, report and dev is in the lock of Python 3.11."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = {
        re.split(r"[<>=\[; ]", d)[0].lower().replace("_", "-")
        for d in [*project["dependencies"], *extras["report"], *extras["dev"]]
    }
    lock = (ROOT / "locks" / "python3.11.txt").read_text(encoding="utf-8")
    have = {line.split("==")[0].lower().replace("_", "-") for line in lock.splitlines()}
    assert wanted - {"fund-actuarial"} <= have


def load_script(name: str) -> object:
    """A module of ``docs/``."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_glossary_is_current() -> None:
    """`docs/glossary.md` is what the dictionary, the words and the terms say now (`make docs`)."""
    made = load_script("make_glossary").glossary()  # type: ignore[attr-defined]
    assert (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8") == made


def test_documents_link_to_what_is_there() -> None:
    """Every relative link and picture of the Markdown files exists."""
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        # the site's own pages are laid out beside the guides
        folder = page.parent.parent if page.parent.name == "site" else page.parent
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if not target.startswith(("http:", "https:")):
                assert (folder / target).exists(), f"{page.name}: {target}"


def test_readme_figures_are_the_answer(jieshou_run: act.Answer) -> None:
    """The figures that both READMEs print are those of the run."""
    low, high = jieshou_run.assumption_range
    for name in ("README.md", "README.zh.md"):
        words = (ROOT / name).read_text(encoding="utf-8")
        assert "**416" in words
        printed = [int(n) for n in re.findall(r"\b\d{3}\b|(?<=在)\d{3}|\d{3}(?=元)", words)]
        assert any(abs(n - low) < 1 for n in printed)
        assert any(abs(n - high) < 1 for n in printed)
    assert abs(jieshou_run.target.value - 415.4) < 1.0


def test_nothing_names_a_machine() -> None:
    """No absolute path of a machine and no path out of the project in any text of the tree."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("SKIPPED: not a git checkout")
    pattern = re.compile(r"(?<![\w.])/(home|root|work|tmp)/\w|\.\./shar" + "ed")
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if (
            not name.startswith("tests/data/fuzz/")  # bytes that are no text
            and path.suffix in {".py", ".md", ".toml", ".yaml", ".csv", ".txt", ".ipynb", ".j2", ""}
            and path.is_file()
        ):
            assert not pattern.search(path.read_text(encoding="utf-8")), name


def test_notebooks_have_no_outputs() -> None:
    """Notebooks are kept without outputs."""
    import json

    found = list((ROOT / "notebooks").glob("*.ipynb"))
    assert found
    for path in found:
        book = json.loads(path.read_text(encoding="utf-8"))
        assert all(
            not c.get("outputs") and c.get("execution_count") is None
            for c in book["cells"]
            if c["cell_type"] == "code"
        )


@pytest.mark.slow
def test_wheel_holds_laws_texts_and_samples(tmp_path: Path) -> None:
    """The built wheel carries law files, texts, templates and samples, and answers from an empty folder."""
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(ROOT)],
        check=True,
        capture_output=True,
    )
    wheel = next(tmp_path.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "site")
    for needed in (
        "actuarial/law/china/jiande/contract/cooperation@2012-01-01.yaml", "actuarial/texts/table.toml",
        "actuarial/report/templates/report.html.j2", "actuarial/report/templates/plan_zh.yaml",
        "actuarial/samples/data/jieshou/plan.yaml", "actuarial/tables/columns.yaml", "actuarial/budget/form.yaml",
    ):  # fmt: skip
        assert needed in names
    assert not any(n.startswith("tests/") for n in names)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\n"
        "import actuarial as act\n"
        "plan = act.load_plan(act.sample_path('jieshou/plan.yaml'))\n"
        "print('site' in str(plan.folder), round(act.run(plan, paths=2000).target.value))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert out.split()[0] == "True"
    assert 405 < int(out.split()[1]) < 425


@pytest.mark.slow
def test_wheel_is_built_the_same_twice(tmp_path: Path) -> None:
    """Two builds of one tree give the same wheel and the same source archive, byte for byte."""
    import hashlib
    import os

    made = []
    for n in ("a", "b"):
        command = [sys.executable, "-m", "build", "--outdir", str(tmp_path / n), str(ROOT)]
        environment = os.environ | {"SOURCE_DATE_EPOCH": "1577836800"}
        subprocess.run(command, check=True, capture_output=True, env=environment)
        made.append({p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in (tmp_path / n).iterdir()})
    assert len(made[0]) == 2
    assert made[0] == made[1]


@pytest.mark.slow
def test_tests_pass_on_the_built_wheel(tmp_path: Path) -> None:
    """The wheel alone, in an environment without the checkout, passes the tests of report, law, contract, layers and wording."""
    import os
    import shutil

    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as archive:
        archive.extractall(tmp_path / "site")
    work = tmp_path / "work"
    shutil.copytree(ROOT / "tests", work / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "docs", work / "docs")
    names = ("test_layers", "test_contract", "test_report", "test_hostile", "test_law_diff")
    # -I leaves out the folder of work and PYTHONPATH; the site of the wheel comes before the editable checkout
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); import actuarial; assert 'site' in actuarial.__file__; "
        "import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    )
    files = [str(work / "tests" / f"{name}.py") for name in names]
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-m", "not slow", "-k", "not chromium",
         f"--rootdir={work}", *files],
        cwd=work, capture_output=True, text=True, env=os.environ | {"ACTUARIAL_LANG": "zh"}, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
