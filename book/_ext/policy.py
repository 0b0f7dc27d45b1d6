"""The site's Content-Security-Policy: what its pages may load, and which scripts run in them.

A script is a file of the site, or one that stands in a page word for word as it did when the site
was built: the policy holds its hash. Styles may stand in attributes, where MyST, the theme and the
tables of pixels write them; no page shows what somebody else has written.

Every page carries its policy, from whatever host it comes and on a disk. There browsers start no
worker from a file, so that a page must allow workers made of text. `_headers`, which Netlify,
Cloudflare Pages and `make serve` send with each page, does not: both hold where both speak.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

AFTER_ALL_OTHERS = 950
HEADERS = "_headers"
NAME = "Content-Security-Policy"
ON_A_DISK = "'self' blob:"
SCRIPT = re.compile(r"<script(?![^>]*\b(?:src|type)=)[^>]*>(.*?)</script>", re.DOTALL)
START = re.compile(rf'(<meta charset="utf-8" ?/?>)(\n<meta http-equiv="{NAME}"[^>]*>)?')


def policy(scripts: Iterable[str], workers: str = "'self'") -> str:
    """Write a policy.

    Args:
        scripts: What stands in script elements.
        workers: Where workers may come from.
    """
    hashes = {b64encode(sha256(script.encode()).digest()).decode() for script in scripts}
    allowed = {
        "default-src": "'none'",
        "script-src": " ".join(["'self'", *(f"'sha256-{value}'" for value in sorted(hashes))]),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",  # search reads the pages that it has found
        "worker-src": workers,
        "form-action": "'self'",
        "base-uri": "'none'",
    }
    return "; ".join(f"{name} {sources}" for name, sources in allowed.items())


def write_policies(app: Sphinx, exception: Exception | None) -> None:
    """Write the site's policy into a file for its host, and each page's into the page."""
    if exception or app.builder.format != "html":
        return
    site, scripts = Path(app.outdir), set[str]()
    for file in [file for file in site.rglob("*.html") if site / "_static" not in file.parents]:
        page = file.read_text(encoding="utf-8")
        scripts.update(own := SCRIPT.findall(page))
        meta = f'<meta http-equiv="{NAME}" content="{policy(own, ON_A_DISK)}">'
        file.write_text(START.sub(rf"\1\n{meta}", page, count=1), encoding="utf-8")
    (site / HEADERS).write_text(f"/*\n  {NAME}: {policy(scripts)}\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("build-finished", write_policies, priority=AFTER_ALL_OTHERS)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
