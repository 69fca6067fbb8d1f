"""Probe of the display: Qt aborts the whole process where there is none, so a child process tries first."""

import os
import subprocess
import sys

_TRY = "from PySide6.QtWidgets import QApplication; QApplication([])"
_SECONDS = 60
_PACKAGES = "libegl1 libgl1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0"


class DisplayProbe:
    """Tries Qt in a child process, started at once and asked later, so that other start-up goes on beside it."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[str] | None = None
        if self._needs_no_try():
            return
        # A frozen program is its own interpreter and knows no -c: packaging/launch.py, where it starts, tries for it.
        command = ["--probe-display"] if getattr(sys, "frozen", False) else ["-c", _TRY]
        self._child = subprocess.Popen(  # noqa: S603  # this very program, a constant text
            [sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    def _needs_no_try(self) -> bool:
        """Only where Qt may have to find a display server, and one seems to be named."""
        return not sys.platform.startswith("linux") or self._is_offscreen() or self._has_no_display()

    def _is_offscreen(self) -> bool:
        return os.environ.get("QT_QPA_PLATFORM", "").split(":")[0] in ("offscreen", "minimal", "vnc")

    def _has_no_display(self) -> bool:
        named = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
        return sys.platform.startswith("linux") and not any(os.environ.get(name) for name in named)

    def problem(self) -> str:
        """What to do about it, or "" where a window can be shown."""
        if self._has_no_display():
            return _advice("no display is named (DISPLAY and WAYLAND_DISPLAY are empty)")
        if self._child is None:
            return ""
        try:
            _, said = self._child.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.communicate()
            return _advice(f"the display did not answer within {_SECONDS} s")
        return _advice(_reason(said)) if self._child.returncode else ""


def _reason(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return next((line for line in lines if "cannot open shared object" in line or "could not connect" in line), "") or (
        lines[0] if lines else "Qt could not start"
    )


def _advice(reason: str) -> str:
    return (
        f"the window cannot be shown: {reason}\n"
        "- on a machine with a screen, start it from a desktop session, or log in with `ssh -X`;\n"
        "- on Debian or Ubuntu, Qt's own needs are installed by:\n"
        f"    sudo apt-get install {_PACKAGES}\n"
        "- without a screen, `xvfb-run sparseviz` (package xvfb) gives it a virtual one;\n"
        "- `sparseviz train`, `sparseviz info` and `sparseviz export` need no window."
    )
