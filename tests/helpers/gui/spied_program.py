"""The program, which also writes where its widgets are into a file: `python -m tests.helpers.gui.spied_program FILE`.

It is driven from outside with real keys and a real mouse; the file only tells the hand where to go.
"""

import json
import sys
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QAbstractButton, QApplication, QSlider, QToolButton, QWidget

import sparseviz.training.trainer  # noqa: F401  # torch before Qt
from sparseviz.gui import app

EVERY_MS = 200


def names(widget: QWidget) -> list[str]:
    """What a person would call a widget; a slider beside a line is told from it."""
    text = widget.text() if isinstance(widget, QAbstractButton) else ""
    default = widget.defaultAction() if isinstance(widget, QToolButton) else None
    given = (widget.accessibleName(), text, default.text() if default else "")
    role = " slider" if isinstance(widget, QSlider) else ""
    return [name.replace("&", "") + role for name in given if name]


def look() -> dict[str, object]:
    """The visible widgets' middles on the screen, by name, and what the views show."""
    shown = [widget for widget in QApplication.allWidgets() if widget.isVisible()]
    places: dict[str, tuple[int, int]] = {}
    for widget in shown:
        middle = widget.mapToGlobal(widget.rect().center())
        places |= {name: (middle.x(), middle.y()) for name in names(widget)}
    from sparseviz.gui.main_window import MainWindow  # which may be loaded only once Qt is there

    layout = next(widget for widget in QApplication.topLevelWidgets() if isinstance(widget, MainWindow)).ui
    return {
        "places": places,
        "position": layout.time.position(),
        "rows": layout.weights.heatmap.visible()[:2] if layout.weights.history else None,
        "state": layout.state.text(),
    }


def main(path: Path) -> int:
    """Start the program as its command does, and look at it again and again."""
    plain = QApplication.exec

    def look_on() -> None:
        new = path.with_suffix(".new")
        new.write_text(json.dumps(look()))
        new.replace(path)

    def run(*_: object) -> int:
        timer = QTimer()
        timer.timeout.connect(look_on)
        timer.start(EVERY_MS)
        return plain()

    QApplication.exec = run  # type: ignore[method-assign]
    return app.start([])


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
