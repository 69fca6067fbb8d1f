"""A method without gates shows its own quantity, and no view says "gate" for it."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QTableView, QWidget

from sparseviz.gui.compare.window import CompareWindow
from sparseviz.gui.views.base import FittingLabel
from sparseviz.gui.views.curves.view import CurvesView
from sparseviz.gui.views.layers.view import UNDECIDED

WAIT_MS = 20_000
QUANTITY = "|w| / std"


def texts_of(widget):
    """All that a widget says, to eyes and to ears."""
    found = [widget.accessibleName(), widget.accessibleDescription(), widget.toolTip(), widget.whatsThis()]
    if isinstance(widget, QLabel | QAbstractButton):
        found.append(widget.text())
    if isinstance(widget, FittingLabel):
        found += widget.texts
    if isinstance(widget, QComboBox):
        found += [widget.itemText(at) for at in range(widget.count())]
    if isinstance(widget, QTableView):
        model = widget.model()
        columns = [at for at in range(model.columnCount()) if not widget.isColumnHidden(at)]
        for role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            found += [str(model.headerData(at, Qt.Orientation.Horizontal, role)) for at in columns]
            found += [str(model.index(row, at).data(role)) for at in columns for row in range(model.rowCount())]
    scene = getattr(widget, "scene", None)
    if callable(scene) and scene() is not None:
        found += [item.toPlainText() for item in scene().items() if hasattr(item, "toPlainText") and item.isVisible()]
    return list(filter(None, found))


def said_in(top):
    """All texts of a widget and of all that can be seen in it."""
    inside = [widget for widget in top.findChildren(QWidget) if widget.isVisible()]
    return [text for widget in (top, *inside) for text in texts_of(widget)]


def open_run(window, path, qtbot):
    window.open_run(path)
    qtbot.waitUntil(lambda: not window.ui.views["gates"].is_empty(), timeout=WAIT_MS)
    return window.ui


def all_texts(layout, qtbot):
    """What every view says in turn, with every choice made; the steering panel and the run list are of other runs."""
    found = []
    for bar in layout.bars:
        if bar.body in (layout.steering, layout.runs):
            continue
        for dock in layout.docks:
            if dock.widget() is bar.body:
                dock.raise_()
                found.append(dock.windowTitle())
        QApplication.processEvents()
        qtbot.waitUntil(bar.body.isVisible, timeout=WAIT_MS)
        found += said_in(bar) + said_in(bar.body)
        for box in bar.body.findChildren(QComboBox):
            for at in range(box.count()):
                box.setCurrentIndex(at)
                box.activated.emit(at)
                found += said_in(bar.body)
        if hasattr(bar.body, "table"):
            found += [str(cell) for row in bar.body.table() for cell in row]
    return found


def test_that_no_view_says_gate_of_a_run_without_gates(window, magnitude, qtbot):
    layout = open_run(window, magnitude.path, qtbot)
    said = all_texts(layout, qtbot)
    said += [action.text() for action in window.findChildren(QAction)]
    assert len(said) > 500
    assert [text for text in said if "gate" in text.lower().replace("navigate", "")] == []
    assert QUANTITY in said  # the title of the distributions
    layout.gates.show_layer(0)
    assert [text for text in said_in(layout.gates) if "gate" in text.lower()] == []
    assert any(QUANTITY in text for text in said_in(layout.gates))


def test_that_the_same_search_finds_the_gates_of_a_gated_run(window, gated, qtbot):
    said = all_texts(open_run(window, gated.path, qtbot), qtbot)
    for word in ("Gates", "gate rate", "What “Gates” shows, and what to look for", "Penalty on one gate"):
        assert word in said, word
    assert any("because their gate is at 0.5 or above" in text for text in said)


def test_that_titles_follow_the_run_that_is_opened(window, gated, dense, qtbot):
    layout = open_run(window, dense.path, qtbot)
    dock = next(dock for dock in layout.docks if dock.objectName() == "gates")
    bar = next(bar for bar in layout.bars if bar.body is layout.gates)
    for path, title in ((dense.path, QUANTITY), (gated.path, "Gates"), (dense.path, QUANTITY)):
        open_run(window, path, qtbot)
        assert layout.gates.title() == title
        assert layout.gates.accessibleName() == title
        assert dock.windowTitle() == dock.toggleViewAction().text() == title
        assert f"“{title}”" in bar.save.toolTip()
        assert title in [action.text() for action in window.findChildren(QAction) if action.shortcut().toString()]


def test_that_what_is_undecided_and_the_rate_of_gates_are_left_out_without_gates(window, gated, magnitude, qtbot):
    layout = open_run(window, magnitude.path, qtbot)
    next(dock for dock in layout.docks if dock.objectName() == "layers").raise_()
    layers, curves = layout.views["layers"], layout.views["curves"]
    assert isinstance(curves, CurvesView)
    qtbot.waitUntil(lambda: not layers.is_empty(), timeout=WAIT_MS)
    assert layers.sheet.isColumnHidden(UNDECIDED)
    rates = next(at for at, group in enumerate(curves.scalars.groups) if group.shows("gate_rate"))
    curves.left.header.choice.setCurrentIndex(rates)
    assert [curve.scalar for curve in curves.left.shown] == ["rate"]
    assert list(curves.left.lines.lines) == ["rate"]
    open_run(window, gated.path, qtbot)
    assert [curve.scalar for curve in curves.left.shown] == ["rate", "gate_rate"]
    assert len(curves.left.lines.lines["gate_rate"].epochs) > 0


def test_that_no_view_of_compared_runs_without_gates_says_gate(magnitude, dense, qtbot):
    window = CompareWindow()
    qtbot.addWidget(window)
    window.resize(1300, 850)
    window.show()
    window.add([magnitude.path, dense.path])
    qtbot.waitUntil(lambda: window.list.sheet.count() == 2, timeout=WAIT_MS)
    said = []
    for number, view in enumerate(window.views):
        window.go_to(number)
        QApplication.processEvents()
        if view is window.masks:
            qtbot.waitUntil(lambda: window.masks.answer is not None, timeout=WAIT_MS)
        said += said_in(window)
        for box in view.findChildren(QComboBox):
            for at in range(box.count()):
                box.setCurrentIndex(at)
                said += said_in(view)
        said += [str(cell) for row in view.table() for cell in row]
    assert len(said) > 300
    assert [text for text in said if "gate" in text.lower()] == []
    assert any(QUANTITY in text for text in said)
