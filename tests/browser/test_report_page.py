# SPDX-License-Identifier: BSD-3-Clause
"""The report in a browser: silent, legible in light and dark, on a phone, and by keyboard alone."""

import pytest

pytest.importorskip("playwright")
from axe_playwright_python.sync_playwright import Axe
from pages import example, opened, rare


@pytest.fixture(scope="module", params=[example, rare], ids=lambda make: make.__name__)
def page(request, tmp_path_factory):
    return request.param(tmp_path_factory.mktemp("report"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_it_is_accessible_and_fits(page, scheme, width):
    with opened(page, width=width, scheme=scheme) as (tab, said):
        found = Axe().run(tab)
        assert found.violations_count == 0, found.generate_report()
        wide = tab.evaluate("document.documentElement.scrollWidth")
    assert said == []
    assert wide <= width


def test_its_marks_can_be_seen(page):
    with opened(page) as (tab, _):
        sizes = tab.evaluate(
            "[...document.querySelectorAll('figure use')].map(use => use.getBBox().height"
            " + use.getBBox().width)"
        )
        text = " ".join(tab.locator("figure svg text").all_text_contents())
    assert len(sizes) > 20
    assert min(sizes) > 0
    assert "mathdefault" not in text


def test_the_threshold_moves_by_keyboard(page):
    with opened(page) as (tab, _):
        cells = tab.locator("#explorer tbody td b")
        rows = [int(n.replace(",", "")) for n in cells.all_inner_texts()]
        for _ in range(50):
            tab.keyboard.press("Tab")
            if tab.evaluate("document.activeElement.id") == "threshold":
                break
        tab.keyboard.press("End")
        tn, fp, fn, tp = (int(n.replace(",", "")) for n in cells.all_inner_texts())
        assert (tn, fp, fn, tp) == (rows[0] + rows[1], 0, rows[2] + rows[3], 0)
        assert tab.locator("#explorer output").inner_text() == "1"
        tab.keyboard.press("Home")
        tn, fp, fn, tp = (int(n.replace(",", "")) for n in cells.all_inner_texts())
        assert (tn, fn) == (0, 0)
        assert "recall 100.0%" in tab.locator("#explorer [aria-live]").inner_text()
