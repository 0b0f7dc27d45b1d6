"""Mend what other extensions write into pages in ways that readers and screen readers stumble over.

What the theme writes around the text is mended by the templates in `book/_templates`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

AFTER_THE_THEME = 900
MENDED = {
    # What folds is named by the words that one sees on it.
    '<summary aria-label="Toggle hidden content">': "<summary>",
    # The corner of a table heads nothing.
    '<th class="head"><p></p></th>': '<td class="head"></td>',
    # What stands in a list is an item of it.
    ' role="doc-biblioentry"': ' role="listitem"',
    # A picture that scrolls on a phone can be reached by the keyboard.
    "<p><img ": '<p tabindex="0"><img ',
    # What a function takes, each on a line of its own, defines nothing.
    '<dl>\n<dd><em class="sig-param">': '<span class="sig-lines"><em class="sig-param">',
    '</em>,</dd>\n<dd><em class="sig-param">': ',</em><em class="sig-param">',
    "</em>,</dd>\n</dl>\n": ",</em></span>",
}
# Only attributes let a picture whose height follows its width keep its room until it comes.
# It shrinks with a narrow page until its labels would be too small to read.
SIZE = re.compile(r'style="width: (\d+)px; height: (\d+)px;"')
WITH_ROOM = r'style="width: \1px; min-width: calc(\1px * 2 / 3)" width="\1" height="\2"'


def mend(app: Sphinx, page: str, template: str, context: dict[str, Any], _: object) -> None:
    """Mend the text of a page."""
    if "body" not in context:
        return
    for found, better in MENDED.items():
        context["body"] = context["body"].replace(found, better)
    context["body"] = SIZE.sub(WITH_ROOM, context["body"])


def name_toggles(app: Sphinx, page: str, template: str, context: dict[str, Any], _: object) -> None:
    """Name what unfolds the pages below a page, in the list of all pages."""
    generate = context["generate_toctree_html"]

    def named(*given: object, **options: object) -> str:
        named = '<summary aria-label="Pages of the package">'
        return str(generate(*given, **options)).replace("<summary>", named)

    context["generate_toctree_html"] = named


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", mend)
    app.connect("html-page-context", name_toggles, priority=AFTER_THE_THEME)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
