"""Write ``docs/glossary.md`` from the column dictionary, the words of tables and the field's terms.

``python docs/make_glossary.py`` writes it; a test says when it is out of date.
"""

from __future__ import annotations

import csv
from pathlib import Path

from actuarial.results import write_text
from actuarial.tables import columns, terms

HERE = Path(__file__).parent


def glossary() -> str:
    """The glossary as Markdown."""
    lines = [
        "# Glossary 术语表",
        "",
        "Made by `make docs` from the column dictionary (`actuarial/tables/columns.yaml`), the words of tables",
        "(`actuarial/tables/terms.yaml`) and `docs/glossary_terms.csv`. One thing has one name, with its unit.",
        "",
        "## Columns of tables 表格的列",
        "",
        "| identifier | 中文 | English | type | also read as |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{c.name}` | {c.zh} | {c.en} | {c.type} | {'、'.join(c.aliases)} |" for c in columns().values()
    ]
    lines += [
        "",
        "## Words in tables 表格里的词",
        "",
        "| identifier | 中文 | English | also read as |",
        "|---|---|---|---|",
    ]
    lines += [f"| `{n}` | {t['zh']} | {t['en']} | {'、'.join(t['aliases'])} |" for n, t in terms().items()]
    lines += [
        "",
        "## Terms of the field 业务术语",
        "",
        "| 中文 | English | identifier | meaning | unit |",
        "|---|---|---|---|---|",
    ]
    with (HERE / "glossary_terms.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            lines.append(
                f"| {row['term_simplified']} | {row['english']} | `{row['identifier']}` | {row['definition']} | {row['unit']} |"
            )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    write_text(HERE / "glossary.md", glossary())
