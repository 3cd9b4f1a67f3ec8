"""Colours and cell styles: one accent colour, quiet greys, and two warning tones.

Every style is a named style of the workbook, so that people can change all its cells at once.
"""

from typing import Literal

from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Side
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.workbook import Workbook
from openpyxl.writer.theme import theme_xml

from reports.tables import Kind

ACCENT = "1F6F8B"
ACCENT_MIDDLE = "6BA9BC"
ACCENT_LIGHT = "BFDDE5"
INK = "1F2933"
GREY = "66727F"
GREY_LIGHT = "D5DBE1"
AMBER = "E0A030"
RED = "B5483A"
GREEN = "3E8E5A"
EDITED = "C9A227"
"""Marks what people write into."""
_EDITED_GROUND = "FFF8E1"

TITLE = "Cover title"
SUBTITLE = "Cover subtitle"
HEADING = "Cover heading"
LABEL = "Cover label"
APPROVAL = "Cover approval"
NUMBER = "Cover number"
LEAD = "Cover lead"
NOTE = "Cover note"
ALARM = "Cover alarm"

_FORMAT: dict[Kind, str] = {
    Kind.TEXT: "General",
    Kind.PROSE: "General",
    Kind.COUNT: "#,##0",
    Kind.DAY: "yyyy-mm-dd",
    Kind.MOMENT: "ddd yyyy-mm-dd hh:mm",
    Kind.MINUTES: "#,##0",
    Kind.SHARE: "0%",
    Kind.MONEY: "#,##0.00",
}
_WARNINGS = {AMBER: ("FFF3DA", "7A5200"), RED: ("FBE4E0", "8F2A1E"), GREEN: ("E3F2E8", "24613B")}
_NUMERIC = (Kind.COUNT, Kind.MINUTES, Kind.SHARE, Kind.MONEY)
_HAIR = Border(bottom=Side(style="thin", color=GREY_LIGHT))
_EDGE = Side(style="thin", color="E8DDB5")
_BOX = Border(left=_EDGE, right=_EDGE, top=_EDGE, bottom=_EDGE)
_FONT = "Calibri"
_ORIGINAL_ACCENT = "4F81BD"


def prepare(workbook: Workbook) -> None:
    """Give a new workbook our theme colour and named styles."""
    workbook.loaded_theme = theme_xml.replace(_ORIGINAL_ACCENT, ACCENT)
    for kind in Kind:
        for is_edited in (False, True):
            workbook.add_named_style(_body(kind, is_edited=is_edited))
            workbook.add_named_style(_header(kind, is_edited=is_edited))
    for style in _cover_styles():
        workbook.add_named_style(style)


def body(kind: Kind, *, is_edited: bool = False) -> str:
    """Return the name of the style for the cells of a column."""
    return f"{'Edited' if is_edited else 'Body'} {kind.value}"


def header(kind: Kind, *, is_edited: bool = False) -> str:
    """Return the name of the style for the header of a column: aligned as its cells are."""
    return f"{'Edited header' if is_edited else 'Header'} {kind.value}"


def warning(colour: str) -> DifferentialStyle:
    """Return the look of a highlighted cell: coloured text on a faint ground of the same tone."""
    if colour == GREY:
        return DifferentialStyle(font=Font(color=GREY))
    ground, ink = _WARNINGS[colour]
    return DifferentialStyle(font=Font(color=ink, bold=True), fill=PatternFill(bgColor=ground))


def _body(kind: Kind, *, is_edited: bool) -> NamedStyle:
    return NamedStyle(
        body(kind, is_edited=is_edited),
        font=Font(name=_FONT, size=11, color=INK),
        border=_BOX if is_edited else _HAIR,
        fill=PatternFill("solid", fgColor=_EDITED_GROUND) if is_edited else PatternFill(),
        alignment=_aligned(kind, vertical="top", wraps=kind is Kind.PROSE),
        number_format=_FORMAT[kind],
    )


def _header(kind: Kind, *, is_edited: bool) -> NamedStyle:
    return NamedStyle(
        header(kind, is_edited=is_edited),
        font=Font(name=_FONT, size=11, bold=True, color=INK if is_edited else "FFFFFF"),
        fill=PatternFill("solid", fgColor="F2D675" if is_edited else ACCENT),
        alignment=_aligned(kind, vertical="center", wraps=True),
    )


def _aligned(kind: Kind, *, vertical: Literal["top", "center"], wraps: bool) -> Alignment:
    """Numbers to the right, the rest to the left, both a little away from their neighbours."""
    horizontal: Literal["right", "left"] = "right" if kind in _NUMERIC else "left"
    return Alignment(horizontal=horizontal, vertical=vertical, wrap_text=wraps, indent=1)


def _cover_styles() -> tuple[NamedStyle, ...]:
    left = Alignment(horizontal="left", vertical="center")
    above = Alignment(horizontal="left", vertical="top")
    wrapped = Alignment(horizontal="left", vertical="top", wrap_text=True)
    return (
        NamedStyle(TITLE, font=Font(name=_FONT, size=22, bold=True, color=ACCENT), alignment=left),
        NamedStyle(SUBTITLE, font=Font(name=_FONT, size=11, color=GREY), alignment=left),
        NamedStyle(HEADING, font=Font(name=_FONT, size=13, bold=True, color=ACCENT), alignment=left),
        NamedStyle(LABEL, font=Font(name=_FONT, size=10, color=GREY), alignment=above),
        NamedStyle(APPROVAL, font=Font(name="Consolas", size=24, bold=True, color=INK), alignment=left),
        NamedStyle(
            NUMBER,
            font=Font(name=_FONT, size=22, bold=True, color=INK),
            alignment=left,
            number_format="#,##0",
        ),
        NamedStyle(LEAD, font=Font(name=_FONT, size=11, bold=True, color=INK), alignment=wrapped),
        NamedStyle(NOTE, font=Font(name=_FONT, size=11, color=INK), alignment=wrapped),
        NamedStyle(ALARM, font=Font(name=_FONT, size=11, bold=True, color=RED), alignment=wrapped),
    )
