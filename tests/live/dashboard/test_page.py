"""The dashboard in a real browser: what it shows, sends, and what no text can make it do."""

from __future__ import annotations

import json
import os
import stat
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.analysis.browser import Browser, find_chromium

pytest.importorskip("uvicorn")

from pyrt.errors import ConfigError
from pyrt.live.dashboard.server import DashboardServer
from pyrt.live.dashboard.static import plotly
from pyrt.live.dashboard.tokens import READ_TOKEN, make_tokens

from .fakes import FakeFace

NASTY = '<img src=x onerror="document.title=1">&"\'</script><script>document.title=2</script>'
needs_chromium = pytest.mark.skipif(find_chromium() is None, reason="no Chromium here")


@pytest.fixture
def face() -> FakeFace:
    return FakeFace()


@pytest.fixture
def server(face: FakeFace, tmp_path: Path) -> Iterator[DashboardServer]:
    made = DashboardServer(face, folder=tmp_path / "state").start()
    yield made
    made.close()


def holds(browser: Browser, condition: str) -> bool:
    try:
        return bool(browser.evaluate(f"Boolean({condition})"))
    except AssertionError as error:
        # Asked in the very moment in which another page takes this one's place.
        if "navigated" not in str(error):
            raise
        return False


def wait(browser: Browser, condition: str, seconds: float = 20.0) -> None:
    limit = time.monotonic() + seconds
    while not holds(browser, condition):
        assert time.monotonic() < limit, (condition, browser.problems)
        time.sleep(0.05)


def log_in(browser: Browser, server: DashboardServer, token: str) -> None:
    browser.send("Page.navigate", url=server.url)
    wait(browser, "document.querySelector('input[name=token]')")
    browser.evaluate(
        f"document.querySelector('input[name=token]').value = {json.dumps(token)};"
        "document.forms[0].submit()"
    )
    wait(browser, "Number(document.body?.dataset.turns) >= 1")
    browser.problems.clear()


def test_tokens_are_in_a_file_of_the_owners(server: DashboardServer, tmp_path: Path) -> None:
    path = tmp_path / "state" / "dashboard.tokens"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.read_text() == (
        f"url={server.url}\nread={server.read_token}\ncontrol={server.control_token}\n"
    )


def test_the_read_token_outlives_a_restart_and_is_alone_in_a_file(
    server: DashboardServer, face: FakeFace, tmp_path: Path
) -> None:
    """What scrapes a node has its token in a file, and is not to be locked out by a restart."""
    path = tmp_path / "state" / "dashboard.read-token"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().strip() == server.read_token
    again = DashboardServer(face, folder=tmp_path / "state").start()
    try:
        assert again.read_token == server.read_token == path.read_text().strip()
        assert again.control_token != server.control_token
        assert f"control={again.control_token}\n" in (path.parent / "dashboard.tokens").read_text()
    finally:
        again.close()


TOKEN = "t0ken_of-an-earlier_start-x"


@pytest.mark.parametrize(
    ("text", "mode", "is_kept"),
    [
        (TOKEN, 0o600, True), (f"{TOKEN}\n", 0o400, True), (TOKEN, 0o640, False),
        (TOKEN, 0o606, False), (TOKEN[:21], 0o600, False), (f"{TOKEN} {TOKEN}", 0o600, False),
        ("", 0o600, False), ("x" * 300, 0o600, False), ("ä" * 30, 0o600, False),
    ],
)  # fmt: skip
def test_a_read_token_is_kept_from_a_file_of_the_owners_alone(
    text: str, mode: int, is_kept: bool, tmp_path: Path
) -> None:
    path = tmp_path / READ_TOKEN
    path.write_text(text, "utf-8")
    path.chmod(mode)
    assert (make_tokens(tmp_path)[0] == TOKEN) == is_kept


def test_a_read_token_behind_a_link_or_a_pipe_is_none(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text(TOKEN)
    (tmp_path / "elsewhere").chmod(0o600)
    (tmp_path / READ_TOKEN).symlink_to(tmp_path / "elsewhere")
    assert make_tokens(tmp_path)[0] != TOKEN
    (tmp_path / READ_TOKEN).unlink()
    os.mkfifo(tmp_path / READ_TOKEN, 0o600)
    assert make_tokens(tmp_path)[0] != TOKEN


def test_a_script_reads_the_state_with_a_bearer_token(server: DashboardServer) -> None:
    request = urllib.request.Request(
        f"{server.url}/api/state", headers={"authorization": f"Bearer {server.read_token}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.load(answer)["trading_state"] == "ACTIVE"
        assert "server" not in {name.lower() for name in answer.headers}


def test_a_port_in_use_is_named(server: DashboardServer, face: FakeFace, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=str(server.port)):
        DashboardServer(face, port=server.port, folder=tmp_path)


@needs_chromium
def test_the_page_shows_the_node_and_kills_it(
    server: DashboardServer, face: FakeFace, tmp_path: Path
) -> None:
    with Browser(tmp_path / "profile") as browser:
        log_in(browser, server, server.control_token)
        text = browser.evaluate("document.body.innerText")
        for shown in (
            *("100,250.50", "ACTIVE", "451", "max_position_notional · SPY"),
            *("max_duplicates · CrossSPY", "stopped: raised SPY", "ramp: 25 %"),
            *("exchange halts QQQ", "SPY at its price band"),
        ):
            assert shown in text
        assert "ACCEPTED (unknown)" in text
        wait(browser, "document.querySelectorAll('#price .scatterlayer .trace').length === 3")
        assert browser.evaluate("document.querySelectorAll('#price .points path').length") == 2
        browser.evaluate("document.querySelector('[data-action=halt]').click()")
        wait(browser, "document.getElementById('outcome').textContent === 'halt: done'")
        assert [control.action for control in face.controls] == ["halt"]
        assert browser.problems == []
        assert all(
            url.startswith((server.url, "about:", "data:", "chrome")) for url in browser.requests
        )


@needs_chromium
def test_the_page_says_when_what_it_shows_is_old(
    server: DashboardServer, face: FakeFace, tmp_path: Path
) -> None:
    alarm, badges = "document.getElementById('alarm')", "document.getElementById('badges')"
    with Browser(tmp_path / "profile") as browser:
        log_in(browser, server, server.read_token)
        assert browser.evaluate(f"{alarm}.hidden") is True
        face.time = face.made + 6_000_000_000
        wait(browser, f"{alarm}.textContent.includes('since 2023-11-14 22:13:20')")
        assert browser.evaluate(f"{alarm}.className") == ""
        assert "health" not in browser.evaluate(f"{badges}.textContent")
        face.made = face.time
        wait(browser, f"{alarm}.hidden && {badges}.textContent.includes('health ok')")
        server.close()
        wait(browser, f"{alarm}.textContent.startsWith('The node does not answer')")


@needs_chromium
def test_charts_are_in_utc_wherever_the_browser_is(server: DashboardServer, tmp_path: Path) -> None:
    with Browser(tmp_path / "profile") as browser:
        browser.send("Emulation.setTimezoneOverride", timezoneId="America/New_York")
        log_in(browser, server, server.read_token)
        for chart in ("equity", "price"):
            wait(browser, f"document.querySelector('#{chart} .xtick')")
            ticks = browser.evaluate(
                f"[...document.querySelectorAll('#{chart} .xtick')].map(t => t.textContent).join()"
            )
            # An hour from 22:13:20 on, as the table of fills has it.
            assert "22:30" in ticks, ticks
            assert "17:30" not in ticks


@needs_chromium
def test_without_the_chart_library_the_page_is_whole_but_for_the_charts(
    server: DashboardServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the charts lack is not that the node would not answer."""
    monkeypatch.setattr("pyrt.live.dashboard.static.find_spec", lambda name: None)
    plotly.cache_clear()
    with Browser(tmp_path / "profile") as browser:
        log_in(browser, server, server.read_token)
        assert browser.evaluate("document.getElementById('alarm').hidden") is True
        assert browser.evaluate("document.body.classList.contains('old')") is False
        text = browser.evaluate("document.body.innerText")
        assert "No charts" in text
        assert "100,250.50" in text
        assert "run-SPY-1" in text


@needs_chromium
def test_resuming_asks_for_the_typed_word(
    server: DashboardServer, face: FakeFace, tmp_path: Path
) -> None:
    with Browser(tmp_path / "profile") as browser:
        log_in(browser, server, server.control_token)

        def answer(typed: str) -> None:
            browser.evaluate("document.querySelector('[data-action=resume]').click()")
            wait(browser, "document.getElementById('confirm').open")
            for name, value in (("actor", "ann"), ("reason", "checked"), ("typed", typed)):
                browser.evaluate(f"document.getElementById('{name}').value = '{value}'")
            browser.evaluate("document.querySelector('#confirm button[value=go]').click()")

        answer("resume")
        wait(browser, "document.getElementById('outcome').textContent.includes('RESUME')")
        assert face.controls == []
        answer("RESUME")
        wait(browser, "document.getElementById('outcome').textContent === 'resume: done'")
        (control,) = face.controls
        assert (control.action, control.actor, control.reason) == ("resume", "ann", "checked")


@needs_chromium
def test_enter_does_what_the_dialog_asks_and_going_back_is_told(
    server: DashboardServer, face: FakeFace, tmp_path: Path
) -> None:
    outcome = "document.getElementById('outcome')"
    with Browser(tmp_path / "profile") as browser:
        log_in(browser, server, server.control_token)

        def press_enter(typed: str) -> None:
            browser.evaluate("document.querySelector('[data-action=flatten]').click()")
            for name, value in (("actor", "ann"), ("reason", "out"), ("typed", typed)):
                browser.evaluate(f"document.getElementById('{name}').value = '{value}'")
            browser.evaluate("document.getElementById('typed').focus()")
            key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
            browser.send("Input.dispatchKeyEvent", type="keyDown", **key)

        press_enter("FLATTEN")
        wait(browser, f"{outcome}.textContent === 'flatten: done'")
        assert [control.action for control in face.controls] == ["flatten"]
        press_enter("")
        assert browser.evaluate("document.getElementById('confirm').open") is True
        browser.evaluate("document.getElementById('back').click()")
        wait(browser, f"{outcome}.textContent === 'flatten: nothing was done'")
        press_enter("flatten")
        wait(browser, f"{outcome}.textContent.includes('the word FLATTEN')")
        assert browser.evaluate(f"{outcome}.className") == "bad"
        assert len(face.controls) == 1


@needs_chromium
def test_a_double_click_asks_once_and_a_node_that_is_gone_is_told(
    server: DashboardServer, face: FakeFace, tmp_path: Path
) -> None:
    outcome = "document.getElementById('outcome').textContent"
    with Browser(tmp_path / "profile") as browser:
        log_in(browser, server, server.control_token)

        def click(action: str, times: int) -> None:
            button = f"document.querySelector('[data-action={action}]')"
            browser.evaluate(f"for (let i = 0; i < {times}; i++) {{ {button}.click(); }}")

        click("reduce", 2)
        wait(browser, f"{outcome} === 'reduce: done'")
        click("halt", 2)
        wait(browser, f"{outcome} === 'halt: done'")
        limit = time.monotonic() + 10
        while len(face.controls) < 3:
            assert time.monotonic() < limit, face.controls
            time.sleep(0.02)
        # Nothing is between a person and the kill switch.
        assert [control.action for control in face.controls] == ["reduce", "halt", "halt"]
        server.close()
        click("halt", 1)
        wait(browser, f"{outcome}.startsWith('halt: no answer')")
        assert browser.evaluate("document.getElementById('outcome').className") == "bad"


@needs_chromium
def test_a_wrong_token_is_told_on_the_page_that_asks_for_one(
    server: DashboardServer, tmp_path: Path
) -> None:
    with Browser(tmp_path / "profile") as browser:
        browser.send("Page.navigate", url=server.url)
        wait(browser, "document.querySelector('input[name=token]')")
        assert browser.evaluate("document.querySelector('[role=alert]').textContent") == ""
        browser.evaluate(
            "document.querySelector('input[name=token]').value = 'x'; document.forms[0].submit()"
        )
        alert = "document.querySelector('[role=alert]')?.textContent"
        wait(browser, f"{alert} === 'that is not a token of this node'")


@needs_chromium
def test_nothing_is_cut_off_on_a_telephone_and_all_is_readable_in_the_dark(
    server: DashboardServer, face: FakeFace, tmp_path: Path
) -> None:
    wide = "document.documentElement.scrollWidth > innerWidth"
    face.symbol = "SPY" + "x" * 200
    with Browser(tmp_path / "profile") as browser:
        screen = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
        browser.send("Emulation.setDeviceMetricsOverride", **screen)
        dark = {"name": "prefers-color-scheme", "value": "dark"}
        browser.send("Emulation.setEmulatedMedia", features=[dark])
        browser.send("Page.navigate", url=server.url)
        wait(browser, "document.querySelector('input[name=token]')")
        assert browser.evaluate(wide) is False
        ground = "getComputedStyle(document.body).backgroundColor"
        assert browser.evaluate(ground) == "rgb(20, 24, 29)"
        log_in(browser, server, server.control_token)
        assert browser.evaluate(wide) is False
        log = "document.getElementById('log')"
        assert browser.evaluate(f"{log}.scrollWidth <= {log}.clientWidth") is True
        kill = "getComputedStyle(document.querySelector('button.danger'))"
        # White on it is read at a ratio of 6.
        assert browser.evaluate(f"{kill}.backgroundColor") == "rgb(192, 31, 31)"


@needs_chromium
def test_every_column_of_the_orders_is_in_sight_on_a_desk(
    server: DashboardServer, tmp_path: Path
) -> None:
    with Browser(tmp_path / "profile", width=1400) as browser:
        log_in(browser, server, server.read_token)
        box = "document.getElementById('orders').parentElement"
        browser.evaluate("document.querySelector('#orders td').textContent = 'pyrt-39716499b9f5-2'")
        assert browser.evaluate(f"{box}.scrollWidth <= {box}.clientWidth") is True


@needs_chromium
def test_no_text_from_outside_becomes_markup(tmp_path: Path) -> None:
    server = DashboardServer(FakeFace(NASTY), folder=tmp_path).start()
    try:
        with Browser(tmp_path / "profile") as browser:
            log_in(browser, server, server.read_token)
            wait(browser, "Number(document.body.dataset.turns) >= 2")
            assert browser.evaluate("document.title") == "pyrt"
            assert browser.evaluate("document.querySelectorAll('img').length") == 0
            assert NASTY in browser.evaluate("document.getElementById('positions').textContent")
            assert browser.evaluate("document.getElementById('controls').hidden") is True
    finally:
        server.close()
