"""The program as a person starts it: without a display, and on a real (virtual) one."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import onnx
import pytest

from sparseviz.store import RunReader
from tests.helpers.places import ROOT

PROGRAM = [sys.executable, "-m", "sparseviz"]
DISPLAY_NAMES = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="displays are probed on Linux alone")


@pytest.fixture
def environment(tmp_path):
    kept = {name: value for name, value in os.environ.items() if name not in DISPLAY_NAMES}
    return kept | {"XDG_DATA_HOME": str(tmp_path)}


@pytest.mark.parametrize("display", [{}, {"DISPLAY": ":987"}, {"WAYLAND_DISPLAY": "nowhere"}])
def test_that_without_a_usable_display_it_says_what_to_do_and_ends_with_status_2(environment, display):
    ended = subprocess.run(PROGRAM, env=environment | display, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 2
    assert "the window cannot be shown" in ended.stderr
    assert "libxcb-cursor0" in ended.stderr
    assert "sparseviz train" in ended.stderr
    assert "Traceback" not in ended.stderr


# Starts the program and tells, at its first idle moment, what was imported before Qt and after.
_IMPORTED = """
import json, os, sys
from importlib import import_module
import PySide6  # the package alone has no Qt in it
import sparseviz.gui.app as app

before = set()
class Noting:
    def find_spec(self, name, *_):
        if name == "PySide6.QtCore" and not before:
            before.update(sys.modules)
sys.meta_path.insert(0, Noting())
DisplayProbe = app.DisplayProbe
class Probe(DisplayProbe):
    def problem(self):
        said = super().problem()
        from PySide6.QtCore import QTimer
        from PySide6.QtWidgets import QApplication
        exec_ = QApplication.exec
        def tell():
            print(json.dumps({"before": sorted(before), "after": sorted(set(sys.modules) - before)}), flush=True)
            os._exit(0)
        def run(*_):
            QTimer.singleShot(0, tell)
            return exec_()
        QApplication.exec = run
        return said
app.DisplayProbe = Probe
app.start([])
"""


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """Names of modules at the start, before Qt and after."""
    folder = str(tmp_path_factory.mktemp("start"))
    there = os.environ | {"QT_QPA_PLATFORM": "offscreen", "XDG_DATA_HOME": folder, "SPARSEVIZ_SETTINGS": folder}
    ended = subprocess.run(
        [sys.executable, "-c", _IMPORTED], env=there, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


def test_that_at_the_start_nothing_but_the_window_s_own_modules_is_imported_after_qt(imported):
    assert "sparseviz.gui.main_window" in imported["after"]
    late = [name for name in imported["after"] if name.startswith("sparseviz.")]
    assert [name for name in late if not name.startswith("sparseviz.gui")] == []
    assert {"torch", "h5py", "sparseviz.training.trainer"} <= set(imported["before"])


@pytest.mark.parametrize("module", ["PIL.GifImagePlugin", "sparseviz.gui.compare.window", "matplotlib", "onnxruntime"])
def test_that_what_only_some_need_is_not_imported_at_the_start(imported, module):
    assert module not in {*imported["before"], *imported["after"]}


@pytest.fixture
def screen():
    """A virtual screen, or a skipped test; the number is free, Xvfb says which."""
    if not shutil.which("Xvfb") or not shutil.which("xdotool"):
        pytest.skip("needs Xvfb and xdotool")
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as number:
        yield f":{number.readline().strip()}"
    server.terminate()
    server.wait(timeout=30)


class Person:
    """Presses keys in the program's window."""

    def __init__(self, environment):
        self._environment = environment
        self._window = self._find_window()

    def _run(self, *arguments):
        command = ["xdotool", *arguments]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False).stdout

    def _find_window(self):
        until = time.monotonic() + 120
        while time.monotonic() < until:
            if found := self._run("search", "--onlyvisible", "--name", "sparseviz").split():
                return found[0]
            time.sleep(0.3)
        raise TimeoutError("no window")

    def press(self, key):
        """One key, with the window in focus."""
        self._run("windowfocus", "--sync", self._window, "key", key)

    def click(self, place, button=1, times=1):
        """With the mouse, at a place on the screen; buttons 4 and 5 are the wheel."""
        where = [str(round(part)) for part in place]
        repeat = ["--repeat", str(times), "--delay", "60"] if times > 1 else []
        self._run("mousemove", "--sync", *where)
        time.sleep(0.1)
        self._run("click", *repeat, str(button))

    def type(self, text):
        """Into what has the focus."""
        self._run("type", "--delay", "40", text)

    def key(self, key):
        """One key for whatever has the focus, a dialog too."""
        self._run("key", key)


def wait_for(condition, seconds=120):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.3)


def test_that_keys_alone_train_pause_step_resume_and_stop_on_a_real_screen(environment, screen, tmp_path):
    environment = environment | {"DISPLAY": screen, "QT_QPA_PLATFORM": "xcb"}
    program = subprocess.Popen(PROGRAM, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        person = Person(environment)
        runs = tmp_path / "sparseviz" / "runs"
        person.press("F5")
        wait_for(lambda: list(runs.glob("*.h5")))
        (path,) = runs.glob("*.h5")
        wait_for(lambda: snapshots(path) >= 2)
        person.press("F6")
        rest = wait_for_rest(path)
        person.press("F10")
        wait_for(lambda: snapshots(path) == rest + 1)
        person.press("F6")
        wait_for(lambda: snapshots(path) > rest + 2)
        person.press("shift+F5")
        wait_for(lambda: status(path) == "stopped")
    finally:
        program.send_signal(signal.SIGINT)
        _, said = program.communicate(timeout=60)
    assert program.returncode == 0
    assert not re.search(r"Traceback|QThread: Destroyed|Error", said)
    with RunReader(path) as run:
        steps = [snapshot.step for snapshot in run.snapshots()]
    assert steps[rest] == steps[rest - 1] + 1


class Seen:
    """What the spied program says of itself."""

    def __init__(self, path):
        self._path = path

    def __call__(self, name):
        return json.loads(self._path.read_text())[name]

    def place(self, name):
        """The middle of a widget on the screen, as soon as it is there."""
        wait_for(lambda: self._path.is_file() and name in self("places"))
        return self("places")[name]


def test_that_mouse_and_keys_train_steer_zoom_scrub_resume_and_export_on_a_real_screen(environment, screen, tmp_path):
    environment = environment | {"DISPLAY": screen, "QT_QPA_PLATFORM": "xcb", "SPARSEVIZ_SETTINGS": str(tmp_path / "s")}
    seen, command = Seen(tmp_path / "seen.json"), [sys.executable, "-m", "tests.helpers.gui.spied_program"]
    program = subprocess.Popen(
        [*command, str(tmp_path / "seen.json")], env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    try:
        person, runs = Person(environment), tmp_path / "sparseviz" / "runs"
        person.click(seen.place("Train"))
        wait_for(lambda: list(runs.glob("*.h5")))
        (path,) = runs.glob("*.h5")
        wait_for(lambda: snapshots(path) >= 3)
        person.click(seen.place("Pause"))
        rest = wait_for_rest(path)
        person.click(seen.place("λ₂ count"), times=3)  # selects the text of the line
        person.key("ctrl+a")
        person.type("0.002")
        person.key("Return")
        person.click(seen.place("Step"))
        wait_for(lambda: snapshots(path) == rest + 1)
        heatmap = seen.place("Heatmap of the layer's weights")
        wait_for(lambda: seen("rows") == [0, 500])
        person.click(heatmap, button=4, times=5)
        wait_for(lambda: seen("rows")[1] - seen("rows")[0] < 400)
        person.click(heatmap)  # in a line, Ctrl+Left would go to the word before
        person.press("ctrl+Left")
        person.press("ctrl+Left")
        wait_for(lambda: seen("position") == rest - 2)
        person.click(seen.place("Resume"))
        wait_for(lambda: snapshots(path) > rest + 3)
        assert seen("position") == rest - 2  # who scrubbed back stays there
        person.click(seen.place("Stop"))
        wait_for(lambda: status(path) == "stopped")
        wait_for(lambda: "stopped" in seen("state"))
        person.press("ctrl+e")
        person.click(seen.place("Export"))
        wait_for(lambda: path.with_suffix(".onnx").is_file())
        person.key("Escape")
    finally:
        program.send_signal(signal.SIGINT)
        _, said = program.communicate(timeout=60)
    assert program.returncode == 0, said
    assert not re.search(r"Traceback|QThread: Destroyed|Error", said)
    with RunReader(path) as run:
        taken = run.snapshots()
    assert taken[rest].step == taken[rest - 1].step + 1
    assert [(e.name, e.after, e.step) for e in taken[rest].events] == [("penalty.lambda2", 0.002, taken[rest - 1].step)]
    onnx.checker.check_model(str(path.with_suffix(".onnx")), full_check=True)


def snapshots(path):
    with RunReader(path) as run:
        return len(run)


def status(path):
    with RunReader(path) as run:
        return run.status


def wait_for_rest(path):
    """The number of snapshots once it no longer rises."""
    while True:
        before = snapshots(path)
        time.sleep(3)
        if snapshots(path) == before:
            return before
