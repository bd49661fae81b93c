"""The report page in a real browser: wide, narrow and printed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from collectors.catalog import load_city
from collectors.period import Period
from models.taxonomy import load_taxonomy
from pipelines.report_index import write_index
from pipelines.reports.rendering import render_page
from pipelines.warehouse import memory_warehouse
from tests.conftest import make_project
from tests.pipelines.filled_report import REPORT_ID, filled_warehouse
from tests.pipelines.test_report_index import fill

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WIDTHS = [1280, 390]
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
FOCUSABLE = "[...document.querySelectorAll('a[href], summary, [tabindex=\"0\"], input')].filter(e => e.checkVisibility()).length"

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on this machine"),
]

OUTSIDE = """() => [...document.body.querySelectorAll('*')]
    .filter(e => !e.closest('.scroll') && !e.closest('.skip') && !e.closest('.hidden') && e.checkVisibility())
    .filter(e => { const box = e.getBoundingClientRect(); return box.width > 1 && (box.right > innerWidth + 1 || box.left < -1) })
    .map(e => `${e.tagName}.${e.className}: ${e.textContent.slice(0, 40)}`)"""

OVERLAPS = """selector => {
    const boxes = [...document.querySelectorAll(selector)].filter(e => e.checkVisibility())
        .map(e => [e, e.getBoundingClientRect()]).filter(([e, b]) => b.width > 1 && b.height > 1)
    const shared = (a, b, from, to) => Math.min(a[to], b[to]) - Math.max(a[from], b[from])
    const name = e => `${e.tagName}.${e.className} "${e.textContent.trim().slice(0, 30)}"`
    const found = []
    boxes.forEach(([e, a], i) => boxes.slice(i + 1).forEach(([f, b]) => {
        if (e.contains(f) || f.contains(e)) return
        if (shared(a, b, 'left', 'right') > 1 && shared(a, b, 'top', 'bottom') > 1) found.push(`${name(e)} on ${name(f)}`)
    }))
    return found
}"""

CUT = """() => [...document.querySelectorAll('td, th, .tiles dd, .badge, h1, h2, h3')]
    .filter(e => e.checkVisibility() && !e.closest('.hidden'))
    .filter(e => e.clientWidth > 1 && e.scrollWidth > e.clientWidth + 1)
    .map(e => e.textContent.trim())"""

SCROLLING = """() => [...document.querySelectorAll('*')]
    .filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX === 'auto')
    .filter(e => e.tabIndex !== 0 || !e.getAttribute('aria-label')).map(e => e.className)"""

CUT_REGIONS = """() => [...document.querySelectorAll('.scroll')]
    .filter(e => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1).map(e => e.getAttribute('aria-label'))"""

BOTTOMS = """() => ['.tiles', '.findings', '.unread', '.explanation']
    .map(s => document.querySelector(s).getBoundingClientRect().bottom)"""

BLOCKS = [
    "main > *, body > header, body > footer, .banner",
    "table, figure, .tiles, .findings, .amendment, section p, nav",
    "h2, h3, caption, .card",
    ".chart svg text",
]

CONTRAST = """() => {
    const channel = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4
    const light = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2])
    const read = text => text.match(/[\\d.]+/g).map(Number)
    const ground = e => { for (; e; e = e.parentElement) { const c = read(getComputedStyle(e).backgroundColor)
        if (c.length < 4 || c[3] > 0) return c } return [255, 255, 255] }
    return [...document.body.querySelectorAll('*')]
        .filter(e => !e.closest('svg') && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && e.checkVisibility())
        .map(e => { const a = light(read(getComputedStyle(e).color)), b = light(ground(e))
            return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.textContent.trim().slice(0, 40)] })
        .filter(([ratio]) => ratio < 4.5)
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module", params=["es", "en"])
def file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a full report, an amendment, on disk, in each language."""
    city, taxonomy = load_city(ROOT / "data" / "cities" / "ate.yml"), load_taxonomy()
    period = Period.from_dates(date(2021, 4, 1), date(2021, 4, 30), city.zone)
    warehouse = filled_warehouse(city, period, taxonomy, late_count=12)
    target = tmp_path_factory.mktemp("page") / "informe.html"
    target.write_text(render_page(warehouse, REPORT_ID, city, period, taxonomy, language=request.param), encoding="utf-8")
    return target


@pytest.fixture(params=WIDTHS)
def opened(request: pytest.FixtureRequest, browser: Browser, file: Path) -> Iterator[tuple[Page, list[str], list[str]]]:
    """The page at one width, with what it asked for and what it complained of."""
    page = browser.new_page(viewport={"width": request.param, "height": 900})
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda asked: requests.append(asked.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(file.as_uri())
    yield page, requests, complaints
    page.close()


def test_page_asks_for_nothing_and_complains_of_nothing(opened: tuple[Page, list[str], list[str]], file: Path) -> None:
    page, requests, complaints = opened
    page.wait_for_timeout(200)
    assert requests == [file.as_uri()]
    assert complaints == []


def test_nothing_scrolls_sideways_or_stands_outside(opened: tuple[Page, list[str], list[str]]) -> None:
    page = opened[0]
    width, seen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= seen
    assert page.evaluate(OUTSIDE) == []
    assert page.evaluate(CUT) == []


@pytest.mark.parametrize("selector", BLOCKS)
def test_nothing_overlaps(opened: tuple[Page, list[str], list[str]], selector: str) -> None:
    assert opened[0].evaluate(OVERLAPS, selector) == []


def test_text_stands_out_from_its_ground(opened: tuple[Page, list[str], list[str]]) -> None:
    assert opened[0].evaluate(CONTRAST) == []


def test_every_figure_of_a_narrow_page_is_seen_without_scrolling(browser: Browser, file: Path) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 900})
    page.goto(file.as_uri())
    cut = page.evaluate(CUT_REGIONS)
    page.close()
    assert cut == []


def test_one_chart_is_shown_and_regions_that_scroll_take_the_focus(opened: tuple[Page, list[str], list[str]]) -> None:
    page = opened[0]
    assert page.locator(".chart:visible").count() == 2  # the days, the places
    assert page.evaluate(SCROLLING) == []
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("getComputedStyle(document.activeElement).left") == "0px"


def test_first_screen_holds_findings_and_what_could_not_be_read(browser: Browser, file: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(file.as_uri())
    bottoms: list[float] = page.evaluate(BOTTOMS)
    page.close()
    assert max(bottoms) <= 900


def test_prints_to_a4_with_the_table_of_days_open(browser: Browser, file: Path, tmp_path: Path) -> None:
    page = browser.new_page()
    page.goto(file.as_uri())
    printed = page.pdf(prefer_css_page_size=True)
    page.emulate_media(media="print")
    shown = page.evaluate("[...document.querySelectorAll('.days tbody tr')].map(e => e.checkVisibility())")
    page.close()
    sizes = set(re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)\s*\]", printed))
    assert {(round(float(width)), round(float(height))) for width, height in sizes} == {(595, 842)}
    assert 5 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 20
    assert shown == [True] * 30


def test_axe_finds_nothing(opened: tuple[Page, list[str], list[str]]) -> None:
    assert violations(opened[0]) == []


def violations(page: Page) -> list[str]:
    """Return what axe holds against a page, rules of best practice included: rule, and the elements it names."""
    # The page's own policy forbids any script; axe is put in by the browser's debugger, which no policy concerns.
    page.evaluate(AXE)
    found = page.evaluate("axe.run()")["violations"]
    return [f"{rule['id']}: {[node['html'][:120] for node in rule['nodes']][:3]}" for rule in found]


def test_every_link_and_region_is_reached_by_the_keyboard(browser: Browser, file: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(file.as_uri())
    wanted = page.evaluate(FOCUSABLE)
    reached = []
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        place = page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)")
        if place in reached or page.evaluate("document.activeElement === document.body"):
            break
        reached.append(place)
    page.keyboard.press("Home")
    page.close()
    assert len(reached) == wanted > 10
    assert reached == sorted(reached)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of six reports of two cities."""
    project = make_project(tmp_path_factory.mktemp("index"), mini=True)
    warehouse = memory_warehouse()
    fill(warehouse, project)
    return write_index(warehouse, project)


@pytest.mark.parametrize("width", WIDTHS)
def test_index_is_searched_without_a_server(browser: Browser, index: Path, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda asked: requests.append(asked.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(index.as_uri())
    assert page.locator("li.report:visible").count() == 6
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(CONTRAST) == []
    assert violations(page) == []
    page.keyboard.press("Tab")
    page.keyboard.type("ATE diciembre")
    assert page.locator("li.report:visible").count() == 1
    assert page.locator("h2:visible").all_text_contents() == ["Ate"]
    assert page.locator("#found").text_content() == "1"
    page.get_by_role("searchbox").fill("nada de eso")
    assert page.locator("li.report:visible").count() == 0
    page.close()
    assert requests == [index.as_uri()]
    assert complaints == []


def test_index_is_a_plain_list_without_a_script(browser: Browser, index: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(index.as_uri())
    assert page.locator("li.report:visible").count() == 6
    assert page.locator("input:visible").count() == 0
    context.close()
