"""Write the pictures of the READMEs from a real run: ``python docs/make_pictures.py``."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

import actuarial as act
from actuarial.budget import base_year_budget, monitor, plan_actual, provider_budgets, warnings_of
from actuarial.report import compose
from actuarial.report.charts import waterfall_chart
from actuarial.report.monitoring import compose_monitoring
from actuarial.report.pdf import page_pictures
from actuarial.results import atomic_path, figure_style

PAGES = 260
"""Width of a page in the picture of documents [pixels]."""
FOLDER = Path(__file__).parent.parent / "reports" / "example"


def main() -> None:
    """Run Jieshou's plan; save three charts, the bulletin (page and PDF) and a picture of first pages in each language."""
    answer = act.run(act.load_plan(act.sample_path("jieshou/plan.yaml")))
    for lang in act.LANGUAGES:
        act.build_report(answer, FOLDER, lang=lang, name="bulletin", kind="bulletin", formats=("html", "pdf"))
        documents(answer, lang)
        with act.use_language(lang):
            charts = {
                "fan": answer.simulation.plot(lang=lang),
                "drivers": waterfall_chart(answer.table, lang),
                "risk": answer.target.plot(lang=lang, present=answer.simulation.standard),
            }
            for name, axes in charts.items():
                buffer = io.BytesIO()
                with figure_style():
                    axes.figure.savefig(buffer, dpi=110, metadata={"Software": None})
                with atomic_path(FOLDER / f"{name}_{lang}.png") as path:
                    Image.open(buffer).convert("RGB").quantize(64).save(path, optimize=True)


def documents(answer: act.Answer, lang: str) -> None:
    """First pages of the actuarial report, the bulletin and the monthly work summary, side by side and small."""
    plan = answer.plan
    m = monitor(
        base_year_budget(plan),
        plan_actual(plan),
        overspend=provider_budgets(plan),
        admissions={"outside": 0.45},
    )
    contents = [
        compose(answer, lang),
        compose(answer, lang, kind="bulletin"),
        compose_monitoring(warnings_of(m), lang),
    ]
    with act.use_language(lang):
        pages = [Image.open(io.BytesIO(page_pictures(c)[0])).convert("RGB") for c in contents]
    small = [p.resize((PAGES, p.height * PAGES // p.width), Image.Resampling.LANCZOS) for p in pages]
    sheet = Image.new("RGB", ((PAGES + 8) * len(small) + 8, small[0].height + 16), "#aab6c0")
    for n, page in enumerate(small):
        sheet.paste(page, (8 + n * (PAGES + 8), 8))
    with atomic_path(FOLDER / f"documents_{lang}.png") as path:
        sheet.quantize(32).save(path, optimize=True)


if __name__ == "__main__":
    main()
