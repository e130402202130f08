"""The page in a real browser: people vote, with the mouse and with keys."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from longra.evaluate.human.items import Item, Outputs
from longra.evaluate.human.server import Server
from longra.evaluate.human.votes import VoteFile, Wanted

SYSTEMS = ("gpt-secret", "longra-hidden")
HOSTILE = (
    "<script>document.title = 'run'</script><img src=x onerror=\"document.title = 'run'\">"
    "<style>body { display: none }</style> **not bold**\n\n- one & two\n</p></div>"
    "<a href=\"javascript:document.title='run'\">x</a>"
)
ITEMS = tuple(
    Item(
        f"i{i}",
        f"Prompt {i}: {HOSTILE}",
        {SYSTEMS[0]: f"one {i} {HOSTILE}", SYSTEMS[1]: f"二 {i}。" + "很长的文本。" * 800},
    )
    for i in range(4)
)
SECONDS = 20


@pytest.fixture
def votes(tmp_path: Path) -> VoteFile:
    made = VoteFile(tmp_path / "votes.db")
    made.begin(Wanted(seed=7), Outputs(SYSTEMS, ITEMS, ()))
    return made


@contextmanager
def served(votes: VoteFile, language: str = "en") -> Iterator[Server]:
    with Server(votes, language) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Page:
    """What a rater does and sees."""

    def __init__(self, browser: Chrome, link: str) -> None:
        self.browser = browser
        browser.get(link)

    def text(self, id_: str) -> str:
        return self.browser.find_element(By.ID, id_).text

    def until(self, seen: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + SECONDS
        while not seen():
            assert time.monotonic() < deadline, f"{what}: {self.browser.find_element(By.TAG_NAME, 'body').text}"
            time.sleep(0.01)

    def begin(self, name: str, count: str = "") -> "Page":
        self.until(lambda: self.text("how"), "the page")
        self.browser.find_element(By.ID, "name").send_keys(name, Keys.ENTER)
        self.until(lambda: self.at() != "start", "the first question")
        assert count in self.text("count")
        return self

    def at(self) -> str:
        return self.browser.find_element(By.TAG_NAME, "body").get_attribute("data-at") or ""

    def texts(self) -> list[str]:
        """What the boxes show, all at one moment."""
        boxes = "[...document.querySelectorAll('article .text')]"
        shown: list[str] = self.browser.execute_script(f"return {boxes}.map(box => box.innerText)")
        return shown

    def press(self, *keys: str) -> None:
        """Keys, when the page takes them: what comes sooner may have been meant for the question before."""
        self.until(lambda: self.browser.execute_script("return !busy && performance.now() - shownAt >= SETTLE"), "rest")
        for key in keys:
            self.browser.find_element(By.TAG_NAME, "body").send_keys(key)

    def vote(self, key: str, count: str) -> None:
        self.press(key)
        self.until(lambda: count in self.text("count"), f"{count} after {key}")
        self.until(lambda: not self.browser.execute_script("return busy"), "rest")

    def click(self, id_: str, count: str) -> None:
        self.press()
        self.browser.find_element(By.ID, id_).click()
        self.until(lambda: count in self.text("count"), f"{count} after a click on {id_}")


def answers(votes: VoteFile, rater: str) -> list[object]:
    return [vote.answer for vote in votes.latest(rater)]


def test_votes_by_key_and_click(browser: Chrome, votes: VoteFile) -> None:
    left = []
    with served(votes) as server:
        page = Page(browser, server.link).begin("Ann", "0 of 4")
        ways = [(page.vote, "1"), (page.vote, Keys.ARROW_RIGHT), (page.click, "tie"), (page.click, "both_bad")]
        for count, (way, with_) in enumerate(ways, 1):
            left.append(page.texts()[0].split()[0])
            way(with_, f"{count} of 4")
            assert page.text("status") == "Saved."
        assert page.text("end").startswith("All done")
    assert answers(votes, "Ann") == ["left", "right", "tie", "both_bad"]
    assert sorted(left) == ["one", "one", "二", "二"]
    stored = [vote.shown[0] for vote in votes.latest("Ann")]
    assert stored == [SYSTEMS[0] if word == "one" else SYSTEMS[1] for word in left]


def test_texts_are_shown_as_they_are_and_nothing_in_them_runs(browser: Chrome, votes: VoteFile) -> None:
    with served(votes) as server:
        page = Page(browser, server.link).begin("Ann")
        (shown,) = [text for text in page.texts() if text.startswith("one")]
        assert shown.split(maxsplit=2)[2] == HOSTILE
        assert browser.find_element(By.CSS_SELECTOR, "#prompt .text").text.endswith(HOSTILE)
        assert browser.find_elements(By.CSS_SELECTOR, "main :is(img, script, style, a)") == []
        assert browser.title == "Which text is better?"
        assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def test_no_system_is_named_in_the_page_or_its_requests(browser: Chrome, votes: VoteFile) -> None:
    browser.get_log("performance")
    with served(votes) as server:
        page = Page(browser, server.link).begin("Ann")
        for count in (1, 2):
            source = browser.execute_script("return document.documentElement.outerHTML")
            assert not any(system in source for system in SYSTEMS)
            page.vote("2", f"{count} of 4")
        events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
        sent = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
        bodies = [
            browser.execute_cdp_cmd("Network.getResponseBody", {"requestId": request["requestId"]})["body"]
            for request in sent
        ]
    assert any(request["request"]["url"].endswith("votes") for request in sent)
    assert all(request["request"]["url"].startswith((server.link, "data:")) for request in sent)
    for seen in (*map(json.dumps, events), *bodies):
        assert not any(system in seen for system in SYSTEMS)


def test_another_answer_replaces_the_first(browser: Chrome, votes: VoteFile) -> None:
    with served(votes) as server:
        page = Page(browser, server.link).begin("Ann")
        before = page.texts()
        page.vote("1", "1 of 4")
        page.vote("3", "2 of 4")
        page.press("u", "u")
        page.until(lambda: page.texts() == before, "the first question")
        assert browser.find_element(By.ID, "left").get_attribute("aria-pressed") == "true"
        assert "another answer replaces it" in page.text("status")
        page.press("f")
        page.until(lambda: page.texts() != before, "the second question")
        page.press("u")
        page.until(lambda: page.texts() == before, "the first question")
        page.press("4")
        page.until(lambda: page.text("status") == "Saved.", "saved")
        assert "2 of 4" in page.text("count")
        page.vote("2", "3 of 4")
    assert answers(votes, "Ann") == ["tie", "both_bad", "right"]


def test_each_rater_goes_on_where_they_were(browser: Chrome, votes: VoteFile) -> None:
    with served(votes) as server:
        Page(browser, server.link).begin("Ann").vote("1", "1 of 4")
        Page(browser, server.link).begin("李雷", "0 of 4").vote("2", "1 of 4")
    with served(votes) as server:
        page = Page(browser, server.link).begin("  Ann ", "1 of 4")
        page.vote("3", "2 of 4")
        Page(browser, server.link).begin("李雷", "1 of 4")
    assert (answers(votes, "Ann"), answers(votes, "李雷")) == (["left", "tie"], ["right"])


def test_a_server_that_was_killed_is_told_and_what_was_saved_is_there(browser: Chrome, votes: VoteFile) -> None:
    command = [sys.executable, "-m", "longra", "evaluate", "human", "--db", str(votes.path), "--language", "en"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        page = Page(browser, process.stdout.readline().strip()).begin("Ann")
        page.vote("1", "1 of 4")
        process.kill()
    texts = page.texts()
    page.press("2")
    page.until(lambda: page.text("status").startswith("Not saved: the server does not answer. Start it again"), "told")
    assert page.texts() == texts
    assert answers(votes, "Ann") == ["left"]
    with served(votes) as server:
        assert Page(browser, server.link).begin("Ann", "1 of 4").texts() == texts


def test_keys_that_come_too_soon_or_with_others_are_not_votes(browser: Chrome, votes: VoteFile) -> None:
    with served(votes) as server:
        page = Page(browser, server.link).begin("Ann")
        page.press()
        browser.execute_script(
            "const key = init => document.dispatchEvent(new KeyboardEvent('keydown', init));"
            "key({key: '2', ctrlKey: true}); key({key: '2', repeat: true}); key({key: '1'}); key({key: '2'});"
            "const timer = setInterval(() => { if (!busy) { clearInterval(timer); key({key: '2'}); soon = true; } }, 1)"
        )
        page.until(lambda: browser.execute_script("return window.soon"), "a key as the next question is shown")
        page.press(Keys.ARROW_DOWN, Keys.ARROW_UP, "x", "5")
        page.vote("2", "2 of 4")
    assert answers(votes, "Ann") == ["left", "right"]


def test_chinese(browser: Chrome, votes: VoteFile) -> None:
    with served(votes, "zh") as server:
        page = Page(browser, server.link)
        page.until(lambda: page.text("how"), "the page")
        assert page.text("start").startswith("哪一篇更好？")
        page.begin("李雷", "已完成 0 / 4").vote("2", "已完成 1 / 4")
        assert page.text("status") == "已保存。"
        assert browser.find_element(By.ID, "both_bad").text.startswith("都不好")
        assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == "zh"
        languages = {
            box.text[0]: box.get_attribute("lang") for box in browser.find_elements(By.CSS_SELECTOR, "article .text")
        }
        assert languages == {"o": "en", "二": "zh"}
        browser.find_element(By.ID, "language").click()
        assert browser.find_element(By.ID, "both_bad").text.startswith("Both bad")
        assert "1 of 4" in page.text("count")


@pytest.mark.parametrize("width", [1200, 390])
def test_long_texts_scroll_by_themselves(browser: Chrome, votes: VoteFile, width: int) -> None:
    with served(votes) as server:
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 700, "deviceScaleFactor": 1, "mobile": False},
        )
        Page(browser, server.link).begin("Ann")
        inside, room = browser.execute_script(
            "const box = document.querySelector('article .text:lang(zh)');"
            "return [box.scrollHeight / box.clientHeight, [document.body.scrollHeight, document.body.scrollWidth]]"
        )
        low = [
            button.rect["y"] + button.rect["height"]
            for button in browser.find_elements(By.CSS_SELECTOR, "#answers button")
        ]
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert inside > 5
    assert room == [700, width], "the page itself does not scroll"
    assert max(low) < 700, "the answers are in sight"


def test_ratings(browser: Chrome, tmp_path: Path) -> None:
    votes = VoteFile(tmp_path / "ratings.db")
    votes.begin(Wanted("rating", ("fluency", "韵味"), 7), Outputs(SYSTEMS[:1], ITEMS[:2], ()))
    with served(votes) as server:
        page = Page(browser, server.link).begin("Ann", "0 of 2")
        assert len(page.texts()) == 1
        page.press("4", Keys.ENTER, "2", Keys.BACKSPACE, "3")
        assert page.text("answers").startswith("Fluency it reads smoothly")
        page.vote(Keys.ENTER, "1 of 2")
        page.press()
        for row, score in ((1, 0), (0, 4)):
            rows = browser.find_elements(By.CSS_SELECTOR, "fieldset")
            rows[row].find_elements(By.TAG_NAME, "button")[score].click()
        page.click("save", "2 of 2")
        page.press("u")
        page.until(lambda: page.at() == "judge", "the last question")
        pressed = browser.find_elements(By.CSS_SELECTOR, "fieldset [aria-pressed=true]")
        assert [button.text for button in pressed] == ["5", "1"]
    assert answers(votes, "Ann") == [{"fluency": 4, "韵味": 3}, {"fluency": 5, "韵味": 1}]
