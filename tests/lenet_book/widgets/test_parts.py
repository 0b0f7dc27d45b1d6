"""What a front end imports later comes when it is used, part by part, and runs in a worker too."""

from __future__ import annotations

import gzip
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from ipywidgets.embed import dependency_state
from playwright.sync_api import Browser, Page, expect
from serve import server  # of book/tools

from lenet_book.widgets import ForwardStepper, Widget
from lenet_book.widgets.shared import pages
from lenet_book.widgets.shared.joining import joined_parts, joined_script
from tests.browsing import Visit, visiting

FRONT_ENDS = Path(__file__).parent / "front_ends"
ANSWER = "42 </script><!--"
NOTEBOOK = """async script => {
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const frontEnd = (await import(url)).default;
  frontEnd.render({ el: document.body });
}"""


class Later(Widget):
    """A button for what comes later."""

    front_end = FRONT_ENDS / "later.js"


@pytest.fixture
def visit(browser: Browser, tmp_path: Path) -> Iterator[Visit]:
    with visiting(browser, tmp_path.as_uri()) as visit:
        yield visit


def use(page: Page, number: int = 0) -> None:
    """Press a button, and see that the part came, with its style sheet."""
    output = page.locator("output").nth(number)
    expect(output).to_have_text("2")
    page.get_by_role("button", name="later").nth(number).click()
    expect(output).to_have_text(ANSWER)
    expect(output).to_have_css("font-style", "oblique")


def write_page(folder: Path, *widgets: Widget) -> None:
    """Write a page as the site makes it, without the files of the parts."""
    embedded = {"state": dependency_state(widgets, drop_defaults=False)}
    scripts = {"Later": '<script async src="Later.js"></script>'}
    boxes = pages.boxes(embedded, [widget.model_id for widget in widgets], scripts, {})
    start = "<!doctype html><html lang=en><title>test</title><link rel=icon href=data:,>"
    mounting = f"<script>{pages.mounting_script()}</script>"
    (folder / "page.html").write_text("\n".join([start, mounting, *boxes]), "utf-8")
    (folder / "Later.js").write_text(Later.definition(), "utf-8")


def test_a_page_of_the_book_fetches_each_part_once(visit: Visit, tmp_path: Path) -> None:
    write_page(tmp_path, Later(), Later())
    parts = Later.part_definitions()
    assert list(parts) == ["Later.later_part", "Later.latest"]
    for name, script in parts.items():
        (tmp_path / f"{name}.js").write_text(script, "utf-8")
    fetched: list[str] = []
    visit.page.on("request", lambda request: fetched.append(request.url.rpartition("/")[2]))
    page = visit.open("page.html")
    expect(page.locator("output")).to_have_text(["2", "2"])
    assert not any(f"{name}.js" in fetched for name in parts)
    use(page, 0)
    use(page, 1)
    assert [fetched.count(f"{name}.js") for name in parts] == [1, 1]


def test_a_saved_page_has_the_part_in_it(visit: Visit, tmp_path: Path) -> None:
    Later().save_html(tmp_path / "saved.html")
    use(visit.open("saved.html"))


def test_a_module_has_the_part_in_it(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "empty.html").write_text("<!doctype html><html lang=en><title>test</title>")
    page = visit.open("empty.html")
    page.evaluate(NOTEBOOK, joined_script(Later.front_end))
    use(page)


def test_a_part_that_does_not_come_says_so(visit: Visit, tmp_path: Path) -> None:
    write_page(tmp_path, Later())
    page = visit.open("page.html")
    expect(page.locator("output")).to_have_text("2")
    with page.expect_event("pageerror") as failure:
        page.get_by_role("button", name="later").click()
    assert failure.value.message == "Later.later_part.js does not come"
    visit.trouble.clear()


def test_a_page_from_a_web_server_starts_workers_from_files(
    browser: Browser, tmp_path: Path
) -> None:
    write_page(tmp_path, Later())
    assert list(Later.worker_programs()) == ["Later.addTwo"]
    for name, script in (Later.part_definitions() | Later.worker_programs()).items():
        (tmp_path / f"{name}.js").write_text(script, "utf-8")
    with server(tmp_path) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        with visiting(browser, f"http://127.0.0.1:{httpd.server_port}") as visit:
            with visit.page.expect_event("worker") as worker:
                use(visit.open("page.html"))
            assert worker.value.url == f"{visit.base}/Later.addTwo.js"
        httpd.shutdown()


def test_a_part_takes_nothing_along_that_was_there_before_it() -> None:
    first, second = joined_parts(Later.front_end).values()
    assert "const { Sum, double } = given;" in second
    assert not re.search(r"function (double|element)\b|class Sum\b", second)
    script = joined_script(Later.front_end)
    assert [script.count(start) for start in ("function double(", "class Sum ")] == [1, 1]
    assert "class Sum " in first


def test_a_part_shares_no_name_with_its_script(tmp_path: Path) -> None:
    (tmp_path / "own.js").write_text('const here = 1;\nvoid import("./other.js");\n', "utf-8")
    (tmp_path / "other.js").write_text("export const here = 2;\n", "utf-8")
    with pytest.raises(ValueError, match=r"own\.js and other\.js both declare here"):
        joined_script(tmp_path / "own.js")


def test_the_stage_fetches_little_at_once() -> None:
    parts = ForwardStepper.part_definitions()
    assert list(parts) == [f"ForwardStepper.{name}" for name in ("sides", "lessons")]
    sizes = [len(gzip.compress(script.encode(), mtime=0)) for script in parts.values()]
    assert max(sizes) <= 15_000
