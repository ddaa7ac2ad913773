"""Write the pictures of the READMEs from a real run: ``python docs/make_pictures.py``."""

from __future__ import annotations

from pathlib import Path

import actuarial as act
from actuarial.report.charts import waterfall_chart
from actuarial.results import atomic_path, figure_style

FOLDER = Path(__file__).parent.parent / "reports" / "example"


def main() -> None:
    """Run Jieshou's plan; save three charts and the bulletin (page and PDF) in each language."""
    answer = act.run(act.load_plan(act.sample_path("jieshou/plan.yaml")))
    for lang in act.LANGUAGES:
        act.build_report(answer, FOLDER, lang=lang, name="bulletin", kind="bulletin", formats=("html", "pdf"))
        with act.use_language(lang):
            charts = {
                "fan": answer.simulation.plot(lang=lang),
                "drivers": waterfall_chart(answer.table, lang),
                "risk": answer.target.plot(lang=lang, present=answer.simulation.standard),
            }
            for name, axes in charts.items():
                with figure_style(), atomic_path(FOLDER / f"{name}_{lang}.png") as path:
                    axes.figure.savefig(path, dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
