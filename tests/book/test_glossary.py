"""The glossary is true to the chapters, and chapters lead to it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from terms import pattern

from tests.book.small_site import build

ROOT = Path(__file__).parents[2]
ENTRIES = re.findall(
    r"^((?:\S.*\n)+)((?:    .+\n)+)",
    (ROOT / "book" / "glossary.md").read_text(encoding="utf-8").partition("{glossary}\n")[2],
    re.MULTILINE,
)


@pytest.mark.parametrize(("names", "text"), ENTRIES, ids=lambda part: part.split("\n")[0])
def test_a_term_is_used_where_the_glossary_says(names: str, text: str) -> None:
    words = names.split("\n")[:-1]
    for chapter in re.findall(r"\(\.\./(chapters/.+?)\)", text):
        cells = json.loads((ROOT / chapter).read_text(encoding="utf-8"))["cells"]
        prose = " ".join("".join(c["source"]) for c in cells)
        assert any(re.search(pattern(word), prose) for word in words), chapter


def test_terms_stand_in_order_once_each() -> None:
    firsts = [names.split("\n")[0].lower() for names, _ in ENTRIES]
    assert len(ENTRIES) > 100
    assert firsts == sorted(set(firsts))


def test_plurals_are_found_and_longer_words_are_not() -> None:
    found = {
        "axis": "axes",
        "bias": "biases",
        "probability": "Probabilities",
        "loss": "losses",
        "scores": "score",
    }
    for term, word in found.items():
        assert re.fullmatch(pattern(term), word)
        assert re.fullmatch(pattern(term), term)
    for term, word in {"MAC": "mac", "pooling": "max-pooling", "bias": "biased"}.items():
        assert not re.search(pattern(term), word)


GLOSSARY = """# Glossary

```{glossary}
batch
    Some pictures.

batch normalisation
    A layer.

logits
scores
    Outputs.

loss
    A number.

MAC
    Work.

precision
    Of answers, as in chapter 8.
```
"""
CHAPTER = """# 1. A loss

Losses of `batch` and $batch$: see [the batch](https://example.com/batch).
Batch normalisation needs a **batch**; a batch-wise loss is a loss. Precision.

## Every MAC

| batch |
|---|
| MAC |

A machine called mac does one MAC for each score. MACs and scores.

```python
logits = 1
```
"""


def test_the_first_use_of_a_term_in_prose_is_a_link(tmp_path: Path) -> None:
    given = {"glossary": GLOSSARY, "chapters/01_one": CHAPTER, "other": "# Other\n\nA batch.\n"}
    given["chapters/08_eight"] = "# 8. Eight\n\nIts precision.\n"
    pages = build(tmp_path, given, "terms", myst_enable_extensions=["dollarmath"])
    links = pages["chapters/01_one"].select("a.term")
    words = ["Losses", "Batch normalisation", "batch", "MAC", "score"]
    assert [link.text for link in links] == words
    assert links[1]["href"] == "../glossary.html#term-batch-normalisation"
    for link in links:
        assert pages["glossary"].find(id=link["href"].partition("#")[2])
    assert links[2].parent.name == "strong"
    plain = pages["chapters/01_one"].get_text()
    assert "Batch normalisation needs a batch; a batch-wise loss is a loss." in plain
    (link,) = pages["chapters/08_eight"].select("a.term")
    assert link.text == "precision"
    assert not pages["other"].select("a.term")
