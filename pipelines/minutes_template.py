"""Minutes of a workshop as DOCX and as ODT, empty as a new project gets them or filled in: the same bytes on every machine.

The smallest documents that ECMA-376 (part 1, 11.3.10 and part 2) and OpenDocument 1.3 (part 2, 3.3 and part 3) allow; what they
say stands in `collectors/minutes.yml`, by which the filled-in document is read again.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from collectors.minutes import Column, Line, MinutesTemplate

WIDTHS: Mapping[Column, int] = {"table": 7, "role": 15, "theme": 16, "text": 38, "agreement": 24}
"""Hundredths of the page's width."""

_PAGE_TWIPS = 14_570
"""Width between the margins of a landscape A4 page: 25.7 cm."""

_PAGE_CENTIMETRES = 25.7
_MADE = (2025, 3, 1, 0, 0, 0)
_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_WORD_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_ODT_TYPE = "application/vnd.oasis.opendocument.text"
_ODF = "urn:oasis:names:tc:opendocument:xmlns:"


class FilledMinutes(NamedTuple):
    """What stands in the minutes of one session."""

    lines: Mapping[Line, str]
    rows: Sequence[Mapping[Column, str]]


def render_docx(template: MinutesTemplate, filled: FilledMinutes | None = None) -> bytes:
    """Return minutes as DOCX; the empty ones, with the example row, if none are given."""
    types = "".join(
        f'<Override PartName="/word/{part}.xml" ContentType="{_WORD_TYPE}.{kind}+xml"/>'
        for part, kind in (("document", "document.main"), ("styles", "styles"))
    )
    body = "".join(_docx_body(template, filled))
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{types}</Types>',
        "_rels/.rels": _relations("officeDocument", "word/document.xml"),
        "word/_rels/document.xml.rels": _relations("styles", "styles.xml"),
        "word/styles.xml": f'<w:styles xmlns:w="{_WORD}"><w:docDefaults><w:rPrDefault><w:rPr>'
        '<w:rFonts w:ascii="Arial" w:hAnsi="Arial" w:cs="Arial"/><w:sz w:val="20"/><w:lang w:val="es-PE"/>'
        '</w:rPr></w:rPrDefault><w:pPrDefault><w:pPr><w:spacing w:after="80"/></w:pPr></w:pPrDefault></w:docDefaults></w:styles>',
        "word/document.xml": f'<w:document xmlns:w="{_WORD}"><w:body>{body}</w:body></w:document>',
    }
    return _zip({name: _DECLARATION + content for name, content in parts.items()})


def render_odt(template: MinutesTemplate, filled: FilledMinutes | None = None) -> bytes:
    """Return minutes as ODT; the empty ones, with the example row, if none are given."""
    spaces = "".join(f' xmlns:{short}="{_ODF}{name}:1.0"' for short, name in _ODF_SPACES.items())
    listed = "".join(
        f'<manifest:file-entry manifest:full-path="{path}" manifest:media-type="{kind}"/>'
        for path, kind in (("/", _ODT_TYPE), ("content.xml", "text/xml"), ("styles.xml", "text/xml"))
    )
    content = "".join(_odt_body(template, filled))
    parts = {
        "mimetype": _ODT_TYPE,
        "META-INF/manifest.xml": f'{_DECLARATION}<manifest:manifest xmlns:manifest="{_ODF}manifest:1.0" manifest:version="1.3">'
        f"{listed}</manifest:manifest>",
        "styles.xml": f'{_DECLARATION}<office:document-styles{spaces} office:version="1.3">{_ODT_STYLES}'
        "</office:document-styles>",
        "content.xml": f'{_DECLARATION}<office:document-content{spaces} office:version="1.3"><office:automatic-styles>'
        f"{''.join(_odt_styles())}</office:automatic-styles><office:body><office:text>{content}</office:text></office:body>"
        "</office:document-content>",
    }
    return _zip(parts)


def _zip(parts: Mapping[str, str]) -> bytes:
    """Pack the parts in their order, with one date for all; the type of an ODT stands first, as it is."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in parts.items():
            member = zipfile.ZipInfo(name, date_time=_MADE)
            # Stored: another build of zlib would pack other bytes.
            member.compress_type = zipfile.ZIP_STORED
            member.create_system = 0
            archive.writestr(member, content.encode())
    return stream.getvalue()


def _relations(kind: str, target: str) -> str:
    link = f'<Relationship Id="rId1" Type="{_OFFICE}/{kind}" Target="{target}"/>'
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{link}</Relationships>'


def _lines(template: MinutesTemplate, filled: FilledMinutes | None) -> Iterator[tuple[str, str]]:
    """Yield (label, value) of the lines above the table."""
    yield from ((line.label, filled.lines[key] if filled else line.blank) for key, line in template.lines.items())


def _rows(template: MinutesTemplate, filled: FilledMinutes | None) -> Iterator[list[str]]:
    """Yield the rows below the heading: those of the session, or the example and the empty ones."""
    if filled is not None:
        yield from ([row[key] for key in WIDTHS] for row in filled.rows)
        return
    yield [template.example[key] for key in WIDTHS]
    yield from ([""] * len(WIDTHS) for _ in range(template.blank_rows))


def _docx_body(template: MinutesTemplate, filled: FilledMinutes | None) -> Iterator[str]:
    yield _docx_paragraph(template.title, '<w:b/><w:sz w:val="32"/>')
    for note in template.notes:
        yield _docx_paragraph(note, "<w:i/>")
    yield _docx_paragraph(template.notice, "")
    for label, value in _lines(template, filled):
        yield f"<w:p>{_docx_run(f'{label}: ', '<w:b/>')}{_docx_run(value, '')}</w:p>"
    sides = "".join(f'<w:{side} w:val="single" w:sz="4" w:color="808080"/>' for side in ("top", "left", "bottom", "right"))
    inside = "".join(f'<w:{side} w:val="single" w:sz="4" w:color="808080"/>' for side in ("insideH", "insideV"))
    grid = "".join(f'<w:gridCol w:w="{_twips(key)}"/>' for key in WIDTHS)
    yield f'<w:tbl><w:tblPr><w:tblW w:w="{_PAGE_TWIPS}" w:type="dxa"/><w:tblBorders>{sides}{inside}</w:tblBorders>'
    yield f'<w:tblLayout w:type="fixed"/></w:tblPr><w:tblGrid>{grid}</w:tblGrid>'
    yield _docx_row([template.columns[key].label for key in WIDTHS], heading=True)
    yield from (_docx_row(cells, heading=False) for cells in _rows(template, filled))
    yield '</w:tbl><w:p/><w:sectPr><w:pgSz w:w="16838" w:h="11906" w:orient="landscape"/>'
    yield '<w:pgMar w:top="1134" w:right="1134" w:bottom="1134" w:left="1134" w:header="567" w:footer="567" w:gutter="0"/>'
    yield "</w:sectPr>"


def _docx_paragraph(text: str, look: str) -> str:
    return f"<w:p>{_docx_run(text, look)}</w:p>" if text else "<w:p/>"


def _docx_run(text: str, look: str) -> str:
    return f'<w:r><w:rPr>{look}</w:rPr><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def _docx_row(cells: list[str], *, heading: bool) -> str:
    look, head = ("<w:b/>", "<w:trPr><w:tblHeader/></w:trPr>") if heading else ("", "")
    shade = '<w:shd w:val="clear" w:color="auto" w:fill="E7EDF3"/>' if heading else ""
    written = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{_twips(key)}" w:type="dxa"/>{shade}</w:tcPr>{_docx_paragraph(cell, look)}</w:tc>'
        for key, cell in zip(WIDTHS, cells, strict=True)
    )
    return f"<w:tr>{head}{written}</w:tr>"


def _twips(key: Column) -> int:
    return _PAGE_TWIPS * WIDTHS[key] // 100


_ODF_SPACES: Mapping[str, str] = {
    "office": "office",
    "text": "text",
    "table": "table",
    "style": "style",
    "fo": "xsl-fo-compatible",
}
_ODT_STYLES = (
    '<office:styles><style:default-style style:family="paragraph"><style:paragraph-properties fo:margin-bottom="0.14cm"/>'
    '<style:text-properties fo:font-family="Arial" fo:font-size="10pt" fo:language="es" fo:country="PE"/>'
    '</style:default-style></office:styles><office:automatic-styles><style:page-layout style:name="pm1">'
    '<style:page-layout-properties fo:page-width="29.7cm" fo:page-height="21cm" style:print-orientation="landscape" '
    'fo:margin="2cm"/></style:page-layout></office:automatic-styles><office:master-styles>'
    '<style:master-page style:name="Standard" style:page-layout-name="pm1"/></office:master-styles>'
)


def _odt_styles() -> Iterator[str]:
    bold = 'fo:font-weight="bold"'
    looks = {"title": f'{bold} fo:font-size="16pt"', "note": 'fo:font-style="italic"', "bold": bold}
    for family in ("paragraph", "text"):
        for name, look in looks.items():
            yield f'<style:style style:name="{name}-{family}" style:family="{family}">'
            yield f"<style:text-properties {look}/></style:style>"
    yield '<style:style style:name="grid" style:family="table">'
    yield f'<style:table-properties style:width="{_PAGE_CENTIMETRES}cm"/></style:style>'
    for key, width in WIDTHS.items():
        centimetres = f"{_PAGE_CENTIMETRES * width / 100:.2f}cm"
        yield f'<style:style style:name="c-{key}" style:family="table-column">'
        yield f'<style:table-column-properties style:column-width="{centimetres}"/></style:style>'
    for name, colour in (("cell", ""), ("heading", ' fo:background-color="#e7edf3"')):
        yield f'<style:style style:name="{name}" style:family="table-cell">'
        yield f'<style:table-cell-properties fo:border="0.5pt solid #808080" fo:padding="0.1cm"{colour}/></style:style>'


def _odt_body(template: MinutesTemplate, filled: FilledMinutes | None) -> Iterator[str]:
    yield _odt_paragraph(template.title, "title-paragraph")
    yield from (_odt_paragraph(note, "note-paragraph") for note in template.notes)
    yield _odt_paragraph(template.notice)
    for name, value in _lines(template, filled):
        label = f'<text:span text:style-name="bold-text">{escape(name)}:</text:span>'
        yield f"<text:p>{label} {escape(value)}</text:p>"
    yield f'<table:table table:name={quoteattr(template.title)} table:style-name="grid">'
    yield from (f'<table:table-column table:style-name="c-{key}"/>' for key in WIDTHS)
    heading = _odt_row([template.columns[key].label for key in WIDTHS], heading=True)
    yield f"<table:table-header-rows>{heading}</table:table-header-rows>"
    yield from (_odt_row(cells, heading=False) for cells in _rows(template, filled))
    yield "</table:table><text:p/>"


def _odt_paragraph(text: str, style: str = "") -> str:
    named = f' text:style-name="{style}"' if style else ""
    return f"<text:p{named}>{escape(text)}</text:p>" if text else f"<text:p{named}/>"


def _odt_row(cells: list[str], *, heading: bool) -> str:
    style, look = ("heading", "bold-paragraph") if heading else ("cell", "")
    written = "".join(
        f'<table:table-cell table:style-name="{style}" office:value-type="string">{_odt_paragraph(cell, look)}</table:table-cell>'
        for cell in cells
    )
    return f"<table:table-row>{written}</table:table-row>"
