"""The theme's icons, drawn here: the theme itself would bring a script of 1.4 MB or three fonts.

The theme marks the place of an icon by a class such as `fa-bars`. Every icon is a line on a square
of 24 units, laid over the colour of the text as a mask.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FILE = "icons.css"
OF_FONTS = re.compile(r"@font-face\{[^}]*\}|(?<=[}/])\.fa[-\w,.:> ]*\{[^}]*\}")
PAGE = "M6 3h8l4 4v14H6zM14 3v4h4"
CIRCLE = "M21 12a9 9 0 1 1-18 0a9 9 0 0 1 18 0z"
LINES = {
    ".admonition": f"{CIRCLE}M12 11v6M12 7.5v.01",
    ".attention, .caution, .danger, .error, .important, .warning": "M12 4L2.5 20h19z"
    "M12 10v4.5M12 17.3v.01",
    ".seealso": "M4 12h15M13 6l6 6-6 6",
    ".tip, .hint, .fa-lightbulb": "M9.5 17h5M10 21h4"
    "M12 3a6 6 0 0 0-3.3 11l.8 3h5l.8-3A6 6 0 0 0 12 3z",
    ".fa-angle-left": "M15 5l-7 7 7 7",
    ".fa-angle-right": "M9 5l7 7-7 7",
    ".fa-arrow-up": "M12 20V4M5 11l7-7 7 7",
    ".fa-bars": "M4 6h16M4 12h16M4 18h16",
    ".fa-chevron-down": "M5 9l7 7 7-7",
    ".fa-circle-half-stroke": f"{CIRCLE}M12 3v18M10 4v16M8 5v14M6 6v12M4.5 9v6",
    ".fa-code": "M8 7l-5 5 5 5M16 7l5 5-5 5",
    ".fa-download": "M12 4v11M6 10l6 6 6-6M4 20h16",
    ".fa-expand": "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
    ".fa-file": PAGE,
    ".fa-file-pdf": f"{PAGE}M9 13h6M9 17h6",
    ".fa-github": "M9 5a2 2 0 1 1-4 0a2 2 0 0 1 4 0zM9 19a2 2 0 1 1-4 0a2 2 0 0 1 4 0z"
    "M19 7a2 2 0 1 1-4 0a2 2 0 0 1 4 0zM7 7v10M17 9c0 5-8 3-10 7",
    ".fa-list": "M9 6h11M9 12h11M9 18h11M4.5 6h.01M4.5 12h.01M4.5 18h.01",
    ".fa-magnifying-glass": "M17 10.5a6.5 6.5 0 1 1-13 0a6.5 6.5 0 0 1 13 0zM15.5 15.5L21 21",
    ".fa-moon": "M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z",
    ".fa-pencil-alt": "M4 20l1-5L16 4l4 4L9 19zM13.5 6.5l4 4",
    ".fa-play": "M7 4l12 8-12 8z",
    ".fa-rocket": "M12 3c4 3 5 7 5 11l-2 3H9l-2-3c0-4 1-8 5-11z"
    "M12 9v.01M9 17l-2 4M15 17l2 4M12 18v3",
    ".fa-sun": "M16 12a4 4 0 1 1-8 0a4 4 0 0 1 8 0zM12 2v2.5M12 19.5V22M2 12h2.5M19.5 12H22"
    "M5 5l1.7 1.7M17.3 17.3L19 19M5 19l1.7-1.7M17.3 6.7L19 5",
}
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#000" '
    'stroke-width="2" stroke-linecap="round" stroke-linejoin="round"><path d="{line}"/></svg>'
)
RULES = """
:is(i, span)[class*="fa-"]::before,
.admonition > p.admonition-title::after {
  content: "";
  display: inline-block;
  width: 1.2em;
  height: 1.2em;
  vertical-align: -0.25em;
  background: currentColor;
  mask: var(--icon) center / contain no-repeat;
}
@media (forced-colors: active) {
  :is(i, span)[class*="fa-"]::before,
  .admonition > p.admonition-title::after { forced-color-adjust: none; background: CanvasText; }
}
.admonition > p.admonition-title::after { top: 0.6rem; }
.search-button-field > i { display: inline; }
form.bd-search > i.fa-solid.fa-magnifying-glass { position: static; }
.article-header-buttons { align-items: center; }
"""
# Signs that the theme writes as letters of its icon fonts, rarely.
LETTERS = {
    "download": "↓",
    "external-link": "↗",
    "search-minus": "×",
    "exclamation-circle": "!",
    "github": "",
    "gitlab": "",
}


def style_sheet() -> str:
    """Write the style sheet with all icons."""
    letters = "".join(f'--pst-icon-{name}: "{sign}"; ' for name, sign in LETTERS.items())
    icons = [
        f'{places} {{ --icon: url("data:image/svg+xml,{quote(SVG.format(line=line))}"); }}'
        for places, line in LINES.items()
    ]
    return "\n".join([f":root {{ {letters}}}", *icons, RULES])


def write_style_sheet(app: Sphinx) -> None:
    """Write the style sheet beside the site's others."""
    if app.builder.format == "html":
        folder = Path(app.outdir) / "_static"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_text(style_sheet(), encoding="utf-8")


def take_out_fonts(app: Sphinx, error: Exception | None) -> None:
    """Take the theme's icons out of its style sheet and out of the site: nothing can load them."""
    static = Path(app.outdir) / "_static"
    sheet = static / "styles" / "pydata-sphinx-theme.css"
    if app.builder.format != "html" or error or not sheet.exists():
        return
    sheet.write_text(OF_FONTS.sub("", sheet.read_text(encoding="utf-8")), encoding="utf-8")
    shutil.rmtree(static / "vendor" / "fontawesome", ignore_errors=True)
    for script in (static / "scripts").glob("fontawesome*"):
        script.unlink()


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", write_style_sheet)
    app.connect("build-finished", take_out_fonts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
