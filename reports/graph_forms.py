"""The forms of a picture: SVG, a page that needs nothing beside itself, and DOT for other programs.

Text is escaped by the writers of XML and DOT, so that a name from Azure can be nothing but text. Colour is
never the only sign: every shape says its wave in words, and the page has a table that says all of it.
"""

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from reports.graph_picture import HEIGHT, NO_WAVE, WIDTH, Edge, Node, Picture, Tie

_PALETTE = (
    "#1F6F8B",
    "#C9822B",
    "#5B8C5A",
    "#8A5A83",
    "#B5483A",
    "#3F7CAC",
    "#9A8230",
    "#4D7C6F",
    "#A05A72",
    "#5D6D9E",
    "#7A8B3A",
    "#8C6A4F",
)
_GREY = "#8A939C"
_INK = "#1F2933"
_FAINT = "#52606D"
_RED = "#B5483A"
_LABEL = 24
_CROWD = 300
"""More edges are drawn fainter, so that the shapes stay readable."""
_HEADING = 30
_FONT = "font-family:'Segoe UI',Calibri,'Helvetica Neue',Arial,sans-serif"
_TITLE = {"font-size": "18", "font-weight": "600", "fill": "#1F6F8B"}
_HEAD = {"font-size": "13", "font-weight": "600", "fill": _INK}
_NAME = {"font-size": "12", "fill": _INK}
_SMALL = {"font-size": "12", "fill": _FAINT}
_SVG = "http://www.w3.org/2000/svg"
_STYLE = """
body{margin:24px;color:#1f2933;background:#fff;
font:15px/1.5 'Segoe UI',Calibri,'Helvetica Neue',Arial,sans-serif}
h1{font-size:22px;color:#1f6f8b;margin:0 0 4px}
figure{margin:16px 0;overflow:auto;border:1px solid #d5dbe1;border-radius:6px}
table{border-collapse:collapse;font-size:14px}
th,td{border-bottom:1px solid #d5dbe1;padding:4px 12px 4px 0;text-align:left;vertical-align:top}
thead th{position:sticky;top:0;background:#eef5f7}
"""


def to_svg(picture: Picture) -> str:
    """Return the picture as SVG."""
    svg = _svg(picture)
    svg.set("xmlns", _SVG)
    indent(svg, space=" ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(svg, encoding="unicode") + "\n"


def to_html(picture: Picture) -> str:
    """Return the picture as a page: the drawing, and a table that says the same in words."""
    page = Element("html", lang="en")
    head = SubElement(page, "head")
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    _add(head, "title", picture.title)
    _add(head, "style", _STYLE)
    body = _add(page, "body")
    main = _add(body, "main")
    _add(main, "h1", picture.title)
    _add(main, "p", picture.summary)
    # Whoever uses the keyboard alone can scroll it, too.
    figure = SubElement(
        main, "figure", {"tabindex": "0", "aria-label": "The picture; the table below says the same"}
    )
    figure.append(_svg(picture))
    _add(main, "h2", "The same in words")
    _table(main, picture)
    return "<!DOCTYPE html>\n" + tostring(page, encoding="unicode", method="html") + "\n"


def to_dot(picture: Picture) -> str:
    """Return the picture as DOT, for whoever has programs that read it."""
    lines = [
        "digraph plan {",
        "  rankdir=LR;",
        '  node [shape=box, style="rounded,filled", fontname="Helvetica"];',
    ]
    lines.append(f"  label={_quoted(picture.title)};")
    for band in picture.bands:
        lines.append(f"  subgraph cluster_{band.wave} {{")
        lines.append(f"    label={_quoted(_heading(picture, band.wave))};")
        lines += [
            f"    {_quoted(node.key)} [label={_quoted(node.label)}, color={_quoted(colour(node.wave))}, "
            f'fillcolor="#FFFFFF", tooltip={_quoted(node.note)}];'
            for node in picture.nodes
            if node.wave == band.wave
        ]
        lines.append("  }")
    for edge in picture.edges:
        look = "" if edge.is_binding else ", style=dotted, constraint=false"
        count = f", label={_quoted(str(edge.count))}" if edge.count > 1 else ""
        lines.append(
            f"  {_quoted(edge.before)} -> {_quoted(edge.after)} [color={_quoted(_FAINT)}{look}{count}];"
        )
    for tie in picture.ties:
        look = f"dir=none, constraint=false, style=dashed, color={_quoted(_tie_colour(tie))}"
        lines += [
            f"  {_quoted(one)} -> {_quoted(other)} [{look}];"
            for one, other in zip(tie.members, tie.members[1:], strict=False)
        ]
    return "\n".join([*lines, "}"]) + "\n"


def colour(wave: int) -> str:
    """Return the colour of a wave; after twelve waves they come again, and the number tells them apart."""
    return _GREY if wave == NO_WAVE else _PALETTE[(wave - 1) % len(_PALETTE)]


def _svg(picture: Picture) -> Element:
    width, height = picture.width, picture.height
    svg = Element(
        "svg",
        {
            "viewBox": f"0 0 {width} {height}",
            "width": str(width),
            "height": str(height),
            "role": "img",
            "aria-labelledby": "picture-title picture-summary",
            "style": _FONT,
        },
    )
    _add(svg, "title", picture.title, id="picture-title")
    _add(svg, "desc", picture.summary, id="picture-summary")
    _markers(svg)
    SubElement(svg, "rect", {"width": str(width), "height": str(height), "fill": "#FFFFFF"})
    _text(svg, 28, 32, picture.title, **_TITLE)
    _legend(svg, picture)
    for band in picture.bands:
        _band(svg, picture, band.wave, band.left, band.right)
    for tie in picture.ties:
        _draw_tie(svg, picture, tie)
    crowd = 0.75 if len(picture.edges) <= _CROWD else 0.3
    for edge in picture.edges:
        _draw_edge(svg, picture, edge, crowd)
    for node in picture.nodes:
        _draw_node(svg, picture, node)
    return svg


def _markers(svg: Element) -> None:
    marker = SubElement(
        SubElement(svg, "defs"),
        "marker",
        {
            "id": "arrow",
            "viewBox": "0 0 8 8",
            "refX": "7",
            "refY": "4",
            "markerWidth": "7",
            "markerHeight": "7",
            "markerUnits": "userSpaceOnUse",
            "orient": "auto",
        },
    )
    SubElement(marker, "path", {"d": "M0,0 L8,4 L0,8 z", "fill": _FAINT})


def _legend(svg: Element, picture: Picture) -> None:
    signs = [("needed by", _FAINT, "")]
    if any(not edge.is_binding for edge in picture.edges):
        signs.append(("seen, does not bind", _FAINT, "2 4"))
    kinds = {tie.kind: tie for tie in picture.ties if len(tie.members) > 1}
    signs += [
        ({"together": "go together", "apart": "never off together"}[kind], _tie_colour(kinds[kind]), "6 4")
        for kind in sorted(kinds)
    ]
    left = 28
    for text, tone, dashes in signs:
        line = SubElement(
            svg,
            "path",
            {"d": f"M{left},52 h34", "stroke": tone, "stroke-width": "1.8", "stroke-dasharray": dashes},
        )
        if tone == _FAINT:
            line.set("marker-end", "url(#arrow)")
        _text(svg, left + 42, 56, text, **_SMALL)
        left += 60 + 7 * len(text) + 20


def _band(svg: Element, picture: Picture, wave: int, left: int, right: int) -> None:
    SubElement(
        svg,
        "rect",
        {
            "x": str(left - 12),
            "y": "72",
            "width": str(right - left + 24),
            "height": str(picture.height - 88),
            "rx": "8",
            "fill": colour(wave),
            "fill-opacity": "0.07",
        },
    )
    heading = _heading(picture, wave)
    fits = max(_HEADING * (right - left) // WIDTH - 2, 10)
    text = _text(svg, left, 94, _cut(heading, fits), **_HEAD)
    _add(text, "title", heading)


def _heading(picture: Picture, wave: int) -> str:
    if wave == NO_WAVE:
        return "In no wave"
    name = picture.names.get(wave, "")
    return f"Wave {wave}: {name}" if name else f"Wave {wave}"


def _draw_edge(svg: Element, picture: Picture, edge: Edge, crowd: float) -> None:
    path = SubElement(
        svg,
        "path",
        {
            "d": _curve(picture.places[edge.before], picture.places[edge.after]),
            "fill": "none",
            "stroke": _FAINT,
            "stroke-opacity": f"{crowd if edge.is_binding else crowd * 0.7:.2f}",
            "stroke-width": f"{min(1.2 + 0.3 * (edge.count - 1), 5):.1f}",
            "marker-end": "url(#arrow)",
        },
    )
    if not edge.is_binding:
        path.set("stroke-dasharray", "2 4")


def _draw_tie(svg: Element, picture: Picture, tie: Tie) -> None:
    for one, other in zip(tie.members, tie.members[1:], strict=False):
        path = SubElement(
            svg,
            "path",
            {
                "d": _curve(picture.places[one], picture.places[other]),
                "fill": "none",
                "stroke": _tie_colour(tie),
                "stroke-opacity": "0.6",
                "stroke-width": "1.4",
                "stroke-dasharray": "6 4",
            },
        )
        _add(path, "title", f"{tie.kind}: {tie.evidence}")


def _curve(start: tuple[int, int], end: tuple[int, int]) -> str:
    """Return a curve from one shape's right side to another's left, or around within a column."""
    (x1, y1), (x2, y2) = start, end
    y1, y2 = y1 + HEIGHT // 2, y2 + HEIGHT // 2
    if x1 == x2:
        x1 = x2 = x1 + WIDTH
        out = x1 + min(14 + abs(y2 - y1) // 6, 56)
        return f"M{x1},{y1} C{out},{y1} {out},{y2} {x2},{y2}"
    if x1 > x2:
        x2 += WIDTH
        return f"M{x1},{y1} C{x1 - 48},{y1} {x2 + 48},{y2} {x2},{y2}"
    x1 += WIDTH
    bend = max((x2 - x1) // 2, 24)
    return f"M{x1},{y1} C{x1 + bend},{y1} {x2 - bend},{y2} {x2},{y2}"


def _draw_node(svg: Element, picture: Picture, node: Node) -> None:
    left, top = picture.places[node.key]
    group = SubElement(svg, "g")
    _add(group, "title", f"{node.label}, {_where(node)}, {node.application}. {node.note}")
    shape = {"x": str(left), "y": str(top), "width": str(WIDTH), "height": str(HEIGHT), "rx": "5"}
    SubElement(
        group, "rect", {**shape, "fill": "#FFFFFF", "stroke": colour(node.wave), "stroke-width": "1.3"}
    )
    total = sum(count for _, count in node.waves)
    done = 0.0
    for wave, count in node.waves:
        height = HEIGHT * count / total
        bar = {"x": str(left), "y": f"{top + done:.1f}", "width": "7", "height": f"{height:.1f}"}
        SubElement(group, "rect", {**bar, "fill": colour(wave)})
        done += height
    _text(group, left + 14, top + 18, _cut(node.label, _LABEL), **_NAME)


def _where(node: Node) -> str:
    if len(node.waves) > 1 or not node.batch:
        return "in no wave" if node.waves == ((NO_WAVE, node.waves[0][1]),) else f"from wave {node.wave} on"
    return f"wave {node.wave}, batch {node.batch}"


def _table(parent: Element, picture: Picture) -> None:
    needs: dict[str, list[str]] = {}
    labels = {node.key: node.label for node in picture.nodes}
    for edge in picture.edges:
        needs.setdefault(edge.after, []).append(
            labels[edge.before] + ("" if edge.is_binding else " (seen only)")
        )
    table = _add(parent, "table")
    _add(table, "caption", "Every shape of the picture, in the order in which it goes")
    row = _add(_add(table, "thead"), "tr")
    for title in ("Name", "Application", "Where", "Needs", "Why"):
        _add(row, "th", title, scope="col")
    body = _add(table, "tbody")
    order = sorted(picture.nodes, key=lambda node: (node.wave == NO_WAVE, node.wave, node.batch, node.key))
    for node in order:
        row = _add(body, "tr")
        _add(row, "th", node.label, scope="row")
        for text in (node.application, _where(node), ", ".join(sorted(needs.get(node.key, []))), node.note):
            _add(row, "td", text)


def _tie_colour(tie: Tie) -> str:
    return _RED if tie.kind == "apart" else "#3F7CAC"


def _text(parent: Element, x: int, y: int, text: str, **look: str) -> Element:
    element = SubElement(parent, "text", {"x": str(x), "y": str(y), **look})
    element.text = _legal(text)
    return element


def _add(parent: Element, tag: str, text: str | None = None, **attributes: str) -> Element:
    element = SubElement(parent, tag, attributes)
    element.text = _legal(text) if text is not None else None
    return element


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _quoted(text: str) -> str:
    escaped = _legal(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _legal(text: str) -> str:
    """Replace what XML cannot carry."""
    return "".join(one if one.isprintable() or one in "\n\t" else "\ufffd" for one in text)
