"""The page in a browser; `make test-browser` runs these."""

from dataclasses import replace

import pytest

from eventune.corpora import read_corpus
from eventune.events import EventType, Ontology, Role
from eventune.serving.annotations import FILE

pytestmark = pytest.mark.browser
TEXT = "Gunmen shot soldiers in Mosul, and police held them on Monday."


def find(page, text=TEXT):
    page.fill("#input", text)
    page.click("#find")
    page.wait_for_selector("#bench:not([hidden]) .token", state="attached")


def exported(page, folder, format="jsonl"):
    with page.expect_download() as download:
        page.click(f"[data-format={format}]")
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    return file


def found_in(document):
    return [
        (event.type, document.text_of(event.trigger), [(a.role, document.text_of(a.span)) for a in event.arguments])
        for event in document.events
    ]


def focus_by_tab(page, id):
    for _ in range(80):
        if page.evaluate("document.activeElement.id") == id:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{id} is not reached by Tab")


def select(page, first, last):
    start, end = (page.locator(f"[data-token='{token}']").bounding_box() for token in (first, last))
    page.mouse.move(start["x"] + 2, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 2, steps=4)
    page.mouse.up()


@pytest.mark.parametrize("format", ["jsonl", "label_studio"])
def test_what_is_pasted_is_found_corrected_exported_and_read_as_training_data(open_page, served_at, tmp_path, format):
    page = open_page(served_at())
    find(page)
    assert page.locator(".event").count() == 2
    page.click("[aria-label='Remove: target soldiers']")
    select(page, 4, 4)
    page.get_by_role("button", name="3 place").click()
    page.locator(".event select").nth(1).select_option("attack")

    [document] = read_corpus(exported(page, tmp_path, format), format).documents

    assert found_in(document) == [
        ("attack", "shot", [("attacker", "Gunmen"), ("place", "Mosul")]),
        ("attack", "held", []),
    ]
    assert document.text == TEXT


def test_all_of_it_is_done_by_keyboard_alone(open_page, served_at, tmp_path):
    page = open_page(served_at())
    keys = page.keyboard
    focus_by_tab(page, "input")
    keys.type(TEXT)
    focus_by_tab(page, "find")
    keys.press("Enter")
    page.wait_for_selector("#bench:not([hidden]) .token")
    focus_by_tab(page, "marked")
    for _ in range(4):
        keys.press("ArrowRight")
    keys.press("3")
    keys.press("ArrowLeft")
    keys.press("ArrowLeft")
    keys.press("Delete")
    keys.press("]")
    for _ in range(6):
        keys.press("ArrowRight")
    keys.press("Delete")
    assert page.locator(".event").count() == 1
    keys.press("Control+z")
    assert page.locator(".event").count() == 2
    page.locator("[data-format=jsonl]").evaluate("button => { button.id = 'as-jsonl'; }")
    focus_by_tab(page, "as-jsonl")
    with page.expect_download() as download:
        keys.press("Enter")
    download.value.save_as(tmp_path / "found.jsonl")
    [document] = read_corpus(tmp_path / "found.jsonl").documents
    assert found_in(document) == [
        ("attack", "shot", [("attacker", "Gunmen"), ("place", "Mosul")]),
        ("arrest", "held", [("suspect", "police")]),
    ]


def test_documents_to_work_through_are_saved(open_page, served_at, to_do, tmp_path):
    page = open_page(served_at(to_do=to_do))
    page.click("#documents button >> nth=1")
    page.wait_for_selector("#bench:not([hidden]) .token")
    page.click("#again")
    page.wait_for_selector(".event")
    page.click("#save")
    page.wait_for_selector("#documents .done")
    assert page.inner_text("#progress") == "1 of 3 saved"
    [document] = read_corpus(tmp_path / "saved" / FILE).documents
    assert (document.id, found_in(document)[0][:2]) == ("document 1", ("attack", "shot"))


def test_two_runs_are_side_by_side_with_their_differences_marked(open_page, served_at):
    page = open_page(served_at())
    find(page)
    page.click("#compare")
    page.wait_for_selector("#pairs tbody tr")
    assert page.locator("#pairs th").all_inner_texts() == ["first", "second"]
    marked = [
        [" ".join(part.split()) for part in cell.locator(".tag").all_inner_texts()]
        for cell in page.locator("#pairs td").all()
    ]
    # An argument with another role; an event with another type, whose argument only one has; an event that one has.
    assert marked == [["other role"], ["other role"], ["other type", "only here"], ["other type"], [], ["only here"]]
    assert page.inner_text("#differences") == "differences: 4"
    page.locator("#threshold").evaluate("range => { range.value = 95; range.dispatchEvent(new Event('input')); }")
    assert page.inner_text("#differences") == "differences: 0"


HOSTILE = [
    "<script>window.hit = 1</script>",
    "<img src=x onerror='window.hit = 1'>",
    "</textarea><svg onload='window.hit = 1'>",
    "\u202egnihton\u2066\u2067",
    "javascript:window.hit=1",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_that_is_read_is_run(open_page, served_at, ruled, to_do, hostile):
    ontology = Ontology.of([EventType(hostile, (Role(hostile, description=hostile),), hostile)])
    runs = {
        hostile: ruled({"shot": (hostile, {hostile: -1})}, ontology),
        f"{hostile}2": ruled({"soldiers": (hostile, {})}, ontology),
    }
    comparison = {hostile: f"<p id='there'>there</p>{hostile}<script>window.hit = 1</script>".encode()}
    url = served_at(runs, to_do=[replace(to_do[0], id=hostile)], comparison_pages=comparison)
    page = open_page(url)
    find(page, f"{hostile} shot soldiers {hostile}")
    page.click("#compare")
    page.wait_for_selector("#pairs tbody tr")
    page.click(".token:text-is('shot')")
    assert page.inner_text("#documents button") == hostile
    assert hostile in page.input_value(".event select")
    assert page.locator(".role").first.text_content() == hostile
    assert page.locator("main :is(script, img, iframe, object)").count() == 0
    assert page.locator("main svg").count() == 1
    assert page.evaluate("window.hit") is None
    for element in page.locator(".text .tag, #pairs bdi, .event b").all():
        assert element.evaluate("each => getComputedStyle(each).unicodeBidi").startswith("isolate")
    assert page.locator("#comparisons a").get_attribute("href").startswith("comparisons/")


def test_a_comparison_s_page_runs_nothing(chromium, served_at):
    page = chromium.new_page()
    content = b"<style>p { color: rgb(1, 2, 3) }</style><p>there</p><script>document.title = 'hit'</script>"
    page.goto(f"{served_at(comparison_pages={'rams': content})}/comparisons/rams")
    assert page.locator("p").evaluate("p => getComputedStyle(p).color") == "rgb(1, 2, 3)"
    assert page.title() == ""
    page.close()


LOOKS = {
    "wide": {},
    "narrow": {"viewport": {"width": 390, "height": 844}},
    "dark": {"color_scheme": "dark"},
    "chinese": {"locale": "zh-CN"},
}


@pytest.mark.parametrize("look", LOOKS)
def test_everybody_can_use_it_and_it_fits(open_page, served_at, to_do, tmp_path, look):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    page = open_page(served_at(to_do=to_do, comparison_pages={"rams": b"<p>"}), **LOOKS[look])

    def check(name):
        page.screenshot(path=tmp_path / f"{look}-{name}.png", full_page=True)
        violations = axe.Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in violations] == []
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0

    check("empty")
    text = "枪手 shot 士兵，警察 held 他们。" if look == "chinese" else TEXT
    find(page, text)
    select(page, 2, 2)
    page.click("#compare")
    page.wait_for_selector("#pairs tbody tr")
    check("found")


def test_a_server_that_finds_no_events_says_so(open_page, served_at):
    page = open_page(served_at({}), ready="#status.bad")
    assert page.inner_text("#status") == "No run is served that finds events."
    assert page.is_disabled("#find")


def test_roles_of_the_ontology_are_described(open_page, served_at):
    page = open_page(served_at())
    find(page)
    described = page.locator(".role[data-description]").first
    assert described.get_attribute("aria-label") == "attacker: who attacks"
