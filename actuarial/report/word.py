"""A document as a Word file: A4, real headings, numbered pages, tables whose headings repeat, figures with words.

python-docx makes the parts; what it has no word for (East Asian fonts, fields, repeated headings, rules) is written as XML elements,
never as text that is parsed, so that no content can become a field or a link. The archive is written again with the
valuation date as its time, so that the same content gives the same bytes.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from pathlib import Path
from typing import Any

from actuarial.report.blocks import Block, Chart
from actuarial.report.captions import (
    Captioned,
    captioned,
    cells,
    is_short,
    is_signed,
    is_wide,
    shares,
    to_be_filled,
)
from actuarial.report.content import Content
from actuarial.results import COLOURS, atomic_path
from actuarial.texts import text

FONTS = {"zh": ("Times New Roman", "SimSun", "SimHei"), "en": ("Calibri", "SimSun", "SimHei")}
"""Latin font, Chinese font of the text, Chinese font of the headings: those that every Windows office has."""
PAGE, MARGIN = (21.0, 29.7), (2.2, 2.0)
"""A4, and the margins above and beside the text [cm]."""


def write_word(content: Content, path: Path) -> Path:
    """Write the Word file, whole or not at all.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    maker = _Maker(content)
    maker.make()
    buffer = io.BytesIO()
    maker.document.save(buffer)
    with atomic_path(path) as temporary:
        temporary.write_bytes(dated_archive(buffer.getvalue(), content.dated))
    return path


def dated_archive(raw: bytes, date: str) -> bytes:
    """The same archive with one date on every member: the same content gives the same bytes.

    Examples
    --------
    >>> buffer = io.BytesIO()
    >>> with zipfile.ZipFile(buffer, "w") as archive:
    ...     archive.writestr("a.txt", "a")
    >>> zipfile.ZipFile(io.BytesIO(dated_archive(buffer.getvalue(), "2013-10-31"))).infolist()[0].date_time[:3]
    (2013, 10, 31)
    """
    day = max(dt.date.fromisoformat(date), dt.date(1980, 1, 1))
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(raw)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as new,
    ):
        for name in old.namelist():
            info = zipfile.ZipInfo(name, (day.year, day.month, day.day, 0, 0, 0))
            info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            new.writestr(info, old.read(name))
    return out.getvalue()


class _Maker:
    """One document being made."""

    def __init__(self, content: Content) -> None:
        import docx

        self.c, self.document = content, docx.Document()
        self.latin, self.body, self.heading = FONTS[content.lang]
        self.grid: list[list[Any]] = []
        self.small: Any = None

    def make(self) -> None:
        self._page()
        self._styles()
        self._properties()
        self._edges()
        self._opening()
        for number, (section, parts) in enumerate(zip(self.c.sections, captioned(self.c), strict=True), 1):
            self._heading(section.title, number)
            for words in section.paragraphs:
                paragraph = self.document.add_paragraph(words)
                paragraph.paragraph_format.keep_with_next = is_signed(section, self.c) or None
            for part in parts:
                self._part(part)

    # ---------------------------------------------------------------- page, styles, properties

    def _page(self) -> None:
        from docx.shared import Cm

        page = self.document.sections[0]
        page.page_width, page.page_height = Cm(PAGE[0]), Cm(PAGE[1])
        page.top_margin = page.bottom_margin = Cm(MARGIN[0])
        page.left_margin = page.right_margin = Cm(MARGIN[1])
        page.header_distance = page.footer_distance = Cm(1.1)

    def _font(
        self, style: Any, size: float, chinese: str, *, bold: bool = False, colour: str = "ink"
    ) -> None:
        from docx.oxml.ns import qn
        from docx.shared import Pt, RGBColor

        style.font.name, style.font.size, style.font.bold, style.font.italic = (
            self.latin,
            Pt(size),
            bold,
            False,
        )
        style.font.color.rgb = RGBColor.from_string(COLOURS[colour].lstrip("#").upper())
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for name in list(fonts.attrib):
            if name.endswith("Theme"):
                del fonts.attrib[name]
        for side, face in (
            ("ascii", self.latin),
            ("hAnsi", self.latin),
            ("cs", self.latin),
            ("eastAsia", chinese),
        ):
            fonts.set(qn(f"w:{side}"), face)

    def _styles(self) -> None:
        from docx.enum.style import WD_STYLE_TYPE
        from docx.shared import Pt

        styles = self.document.styles
        self._font(styles["Normal"], 10.5, self.body)
        text_form = styles["Normal"].paragraph_format
        text_form.space_after, text_form.line_spacing = Pt(5), 1.3
        self._font(styles["Title"], 20, self.heading, bold=True)
        self._font(styles["Subtitle"], 10.5, self.body, colour="ink")
        self._font(styles["Heading 1"], 15, self.heading, bold=True, colour="main")
        styles["Heading 1"].paragraph_format.space_before = Pt(18)
        styles["Heading 1"].paragraph_format.space_after = Pt(6)
        self._font(styles["Caption"], 9.5, self.heading, bold=True)
        styles["Caption"].paragraph_format.space_before = Pt(8)
        styles["Caption"].paragraph_format.space_after = Pt(3)
        for name, size, colour in (("Table Text", 9, "ink"), ("Source Line", 8, "ink"), ("Contents Line", 10.5, "ink")):  # fmt: skip
            style = styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
            style.base_style = styles["Normal"]
            self._font(style, size, self.body, colour=colour)
            style.paragraph_format.space_after = Pt(8 if name == "Source Line" else 1)
            style.paragraph_format.line_spacing = 1.0 if name != "Contents Line" else 1.2
        self.small = styles["Table Text"]
        self._title_rule(styles["Title"])

    def _title_rule(self, style: Any) -> None:
        """python-docx's own template rules the title in blue; ours stands free."""
        from docx.oxml.ns import qn

        properties = style.element.find(qn("w:pPr"))
        border = properties.find(qn("w:pBdr")) if properties is not None else None
        if border is not None:
            properties.remove(border)

    def _properties(self) -> None:
        moment = dt.datetime.fromisoformat(self.c.dated)
        core = self.document.core_properties
        core.title, core.subject = self.c.title[:255], self.c.subtitle[:255]  # Word holds no more
        core.author, core.comments = "", ""
        core.last_modified_by, core.revision, core.keywords = "", 1, ""
        core.created = core.modified = core.last_printed = moment
        core.language = {"zh": "zh-CN", "en": "en-GB"}[self.c.lang]

    def _edges(self) -> None:
        """Title above, page of pages below."""
        from docx.enum.text import WD_ALIGN_PARAGRAPH

        page = self.document.sections[0]
        head, foot = page.header.paragraphs[0], page.footer.paragraphs[0]
        for paragraph in (head, foot):
            paragraph.style = self.document.styles["Table Text"]
        head.text, head.alignment = self.c.title, WD_ALIGN_PARAGRAPH.RIGHT
        foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
        for piece in re.split(r"(\{page\}|\{pages\})", text("report_words.page_of", self.c.lang, page="{page}", pages="{pages}")):  # fmt: skip
            if piece in {"{page}", "{pages}"}:
                self._field(foot, "PAGE" if piece == "{page}" else "NUMPAGES")
            elif piece:
                foot.add_run(piece)

    def _field(self, paragraph: Any, code: str) -> None:
        """A field of Word's own; `code` is ours, never content."""
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn

        for kind in ("begin", None, "separate", "1", "end"):
            run = paragraph.add_run()
            if kind in {"begin", "separate", "end"}:
                mark = OxmlElement("w:fldChar")
                mark.set(qn("w:fldCharType"), str(kind))
                run._r.append(mark)
            elif kind is None:
                words = OxmlElement("w:instrText")
                words.set(qn("xml:space"), "preserve")
                words.text = f" {code} "
                run._r.append(words)
            else:
                run.text = kind

    # ---------------------------------------------------------------- parts

    def _opening(self) -> None:
        """Title, the few figures that stand first, contents with links."""
        from docx.enum.text import WD_ALIGN_PARAGRAPH

        title = self.document.add_paragraph(self.c.title, style="Title")
        title.alignment = WD_ALIGN_PARAGRAPH.LEFT
        self.document.add_paragraph(self.c.subtitle, style="Subtitle")
        self._headline()
        if self.c.kind != "actuarial":
            return
        self.document.add_paragraph(text("report_words.contents", self.c.lang), style="Caption")
        for number, section in enumerate(self.c.sections, 1):
            line = self.document.add_paragraph(style="Contents Line")
            self._link(line, section.title, f"section_{number}")

    def _headline(self) -> None:
        from docx.shared import Pt

        table = self._table(2, len(self.c.headline), [1 / len(self.c.headline)] * len(self.c.headline))
        for at, (name, value) in enumerate(self.c.headline):
            self._cell(table, 0, at, value, numeric=False, bold=True, size=Pt(18))
            self._cell(table, 1, at, name, numeric=False)
        self._rules(table, head_rows=0)
        self.document.add_paragraph(style="Source Line")

    def _heading(self, title: str, number: int) -> None:
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn

        heading = self.document.add_heading(title, level=1)
        start, end = OxmlElement("w:bookmarkStart"), OxmlElement("w:bookmarkEnd")
        start.set(qn("w:id"), str(number))
        start.set(qn("w:name"), f"section_{number}")
        end.set(qn("w:id"), str(number))
        heading._p.insert(1, start)
        heading._p.append(end)

    def _link(self, paragraph: Any, words: str, to: str) -> None:
        """A link within the document."""
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn

        link = OxmlElement("w:hyperlink")
        link.set(qn("w:anchor"), to)
        run = paragraph.add_run(words)
        link.append(run._r)
        paragraph._p.append(link)

    def _part(self, item: Captioned) -> None:
        part = item.part
        if isinstance(part, Chart):
            self._figure(part, item.caption)
            return
        caption = self.document.add_paragraph(item.caption, style="Caption")
        caption.paragraph_format.keep_with_next = True
        if part.note:
            note = self.document.add_paragraph(part.note)
            note.paragraph_format.keep_with_next = True
        self._block(part)
        self._source(part.source)

    def _source(self, source: str) -> None:
        words = text("report.table_source", self.c.lang, source=source) if source else ""
        self.document.add_paragraph(words, style="Source Line")

    def _figure(self, figure: Chart, caption: str) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.shared import Cm

        picture = figure.png()
        if picture:
            place = self.document.add_paragraph()
            place.alignment, place.paragraph_format.keep_with_next = WD_ALIGN_PARAGRAPH.CENTER, True
            shape = place.add_run().add_picture(io.BytesIO(picture), width=Cm(16))
            named = shape._inline.docPr
            named.set("descr", figure.words)
            named.set("title", figure.title)
        line = self.document.add_paragraph(caption, style="Caption")
        line.alignment, line.paragraph_format.keep_with_next = WD_ALIGN_PARAGRAPH.CENTER, bool(figure.note or figure.source)  # fmt: skip
        if figure.note:
            note = self.document.add_paragraph(figure.note)
            note.paragraph_format.keep_with_next = bool(figure.source)
        self._source(figure.source)

    def _block(self, part: Block) -> None:
        from docx.shared import Pt

        words = cells(part, self.c)
        small = Pt(7) if is_wide(part, self.c) else Pt(9)
        table = self._table(len(words) + 1, len(part.columns), shares(part, words))
        for at, column in enumerate(part.columns):
            self._cell(table, 0, at, column.heading, numeric=column.numeric, bold=True, size=small)
        for n, row in enumerate(words, 1):
            total = n - 1 in part.total_rows
            for at, column in enumerate(part.columns):
                self._cell(table, n, at, row[at], numeric=column.numeric, bold=total, size=small)
        if to_be_filled(part):
            for written in table.rows[1:]:
                written.height = Pt(28)
        if is_short(part, self.c):
            for places in self.grid[:-1]:
                for place in places:
                    place.paragraphs[0].paragraph_format.keep_with_next = True
        self._rules(table, head_rows=1)

    def _table(self, rows: int, columns: int, parts: list[float]) -> Any:
        from docx.shared import Cm

        table = self.document.add_table(rows, columns)
        table.autofit = False
        for column, share in zip(table.columns, parts, strict=True):
            column.width = Cm((PAGE[0] - 2 * MARGIN[1]) * share)
        # python-docx looks a cell up by walking the grid each time: kept, it is linear
        self.grid = [list(row.cells) for row in table.rows]
        for row in self.grid:
            for cell, share in zip(row, parts, strict=True):
                cell.width = Cm((PAGE[0] - 2 * MARGIN[1]) * share)
        return table

    def _cell(self, table: Any, row: int, at: int, words: str, *, numeric: bool, bold: bool = False, size: Any = None) -> None:  # fmt: skip
        from docx.enum.text import WD_ALIGN_PARAGRAPH

        paragraph = self.grid[row][at].paragraphs[0]
        # set by id: by name python-docx searches the whole template for each cell
        paragraph._p.get_or_add_pPr().style = self.small.style_id
        run = paragraph.add_run(words)
        run.font.bold = bold or None
        if size is not None:
            run.font.size = size
        if numeric:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT

    def _rules(self, table: Any, *, head_rows: int) -> None:
        """Rules above, below and between rows; a shaded heading that repeats; rows that are not broken."""
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn

        borders = OxmlElement("w:tblBorders")
        for side, size, colour in (
            ("top", "8", "22303C"),
            ("bottom", "8", "22303C"),
            ("insideH", "4", "D9DEE3"),
        ):
            rule = OxmlElement(f"w:{side}")
            for key, value in (("val", "single"), ("sz", size), ("space", "0"), ("color", colour)):
                rule.set(qn(f"w:{key}"), value)
            borders.append(rule)
        margins = OxmlElement("w:tblCellMar")
        for side in ("left", "right"):
            margin = OxmlElement(f"w:{side}")
            margin.set(qn("w:w"), "60")
            margin.set(qn("w:type"), "dxa")
            margins.append(margin)
        properties = table._tbl.tblPr
        look = properties.find(qn("w:tblLook"))
        layout = properties.find(qn("w:tblLayout"))
        anchor = layout if layout is not None else look
        if anchor is not None:
            anchor.addprevious(borders)
        else:
            properties.append(borders)
        (look.addprevious if look is not None else properties.append)(margins)
        for n, row in enumerate(table.rows):
            kept = row._tr.get_or_add_trPr()
            kept.append(OxmlElement("w:cantSplit"))
            if n < head_rows:
                kept.append(OxmlElement("w:tblHeader"))
                for cell in self.grid[n]:
                    shade = OxmlElement("w:shd")
                    for key, value in (("val", "clear"), ("color", "auto"), ("fill", "E3EBF1")):
                        shade.set(qn(f"w:{key}"), value)
                    cell._tc.get_or_add_tcPr().append(shade)
