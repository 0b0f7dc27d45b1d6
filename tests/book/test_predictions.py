"""A guess in a chapter's page unfolds the output that answers it."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browsing import Visit


def test_a_right_guess_unfolds_the_output(visit: Visit) -> None:
    page = visit.open("chapters/02_building_a_network.html")
    output = page.get_by_text("output torch.Size([4, 6, 28, 28])")
    expect(output).to_be_hidden()
    guess = page.locator("#Predict-2").get_by_role("textbox")
    for typed in ("4 6 32 32", "4 6 28 28"):
        expect(output).to_be_hidden()
        guess.fill(typed)
        guess.press("Enter")
    expect(output).to_be_visible()
