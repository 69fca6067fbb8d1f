"""The keyboard: Tab reaches everything, the focus is seen, keys go to every view and are all on one page."""

import re

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QColor
from PySide6.QtWidgets import QApplication, QMenu, QTabBar, QToolButton, QWidget

from sparseviz.gui.qt import appearance
from sparseviz.gui.qt.focus_guide import FocusFrame
from sparseviz.gui.qt.theme import theme_of
from sparseviz.gui.window.shortcuts import ShortcutsPage


def tour(window, qtbot):
    """The widgets that Tab goes through, once round."""
    window.ui.weights.setFocus()
    found = [window.focusWidget()]
    for _ in range(300):
        qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        if window.focusWidget() is found[0]:
            return found
        found.append(window.focusWidget())
    raise AssertionError("Tab does not come round")


def stops(window):
    """The visible widgets at which Tab should stop."""
    return [
        widget
        for widget in window.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.focusProxy() is None
        and widget.isVisibleTo(window)
        and widget.isEnabled()
        and widget.window() is window
    ]


def test_that_tab_reaches_every_control_and_view_part_by_part(opened, qtbot):
    found = tour(opened, qtbot)
    assert set(stops(opened)) <= set(found)
    layout = opened.ui
    tabs = opened.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
    parts = [layout.tool_bar, *layout.docks[:2], layout.splitter, layout.time, *layout.docks[2:], *tabs]
    order = [
        next((at for at, part in enumerate(parts) if part is each or part.isAncestorOf(each)), -1) for each in found
    ]
    turns = sum(one != other for one, other in zip(order, [*order[1:], order[0]], strict=True))
    assert turns == len(parts)
    assert -1 not in order


@pytest.mark.parametrize("dark", [True, False])
def test_that_the_focus_is_framed_wherever_it_is(opened, qtbot, qapp, dark):
    appearance.apply(qapp, dark=dark)
    try:
        for widget in tour(opened, qtbot):
            widget.setFocus()
            frame = widget.findChild(FocusFrame, options=Qt.FindChildOption.FindDirectChildrenOnly)
            assert frame is not None, widget
            assert frame.isVisibleTo(opened)
            assert frame.size() == widget.size()
            picture = widget.grab().toImage()
            accent = theme_of(widget.palette()).accent
            corner = QColor(picture.pixel(picture.width() // 2, picture.height() - 1))
            apart = [getattr(corner, part)() - getattr(accent, part)() for part in ("red", "green", "blue")]
            assert max(map(abs, apart)) < 24, widget
    finally:
        appearance.apply(qapp, dark=False)


def test_that_the_frame_outlives_the_widget_it_lay_over(window, qtbot):
    gone = QToolButton(window)
    gone.show()
    gone.setFocus()
    QApplication.processEvents()
    assert gone.findChild(FocusFrame) is not None
    gone.setParent(None)
    gone.deleteLater()
    QApplication.processEvents()
    window.ui.weights.setFocus()
    assert window.ui.weights.findChild(FocusFrame) is not None


def test_that_a_floating_view_is_reached_framed_and_known_as_the_one_in_focus(opened, qtbot):
    gates = opened.ui.views["gates"]
    dock = next(dock for dock in opened.ui.docks if dock.widget() is gates)
    dock.setFloating(True)
    number = opened.ui.bodies.index(gates)
    qtbot.keyClick(opened, getattr(Qt.Key, f"Key_{number + 1}"), Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: gates.isAncestorOf(QApplication.focusWidget()))  # at the layer under way
    assert gates.findChild(FocusFrame) is not None
    assert opened.ui.focused_pane() is gates


def test_that_alt_and_a_number_goes_to_every_view_even_a_closed_one(opened, qtbot):
    layout = opened.ui
    dock = next(dock for dock in layout.docks if dock.widget() is layout.views["layers"])
    dock.close()
    for number, body in enumerate(layout.bodies, start=1):
        qtbot.keyClick(
            opened.focusWidget() or opened, getattr(Qt.Key, f"Key_{number}"), Qt.KeyboardModifier.AltModifier
        )
        focus = opened.focusWidget()
        assert body is focus or body.isAncestorOf(focus)
    assert dock.isVisible()


def test_that_shift_f1_explains_what_has_the_focus(window, qtbot):
    window.ui.views["gates"].setFocus()
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_F1, Qt.KeyboardModifier.ShiftModifier)
    told = [widget for widget in QApplication.topLevelWidgets() if widget.metaObject().className() == "QWhatsThat"]
    assert [widget.isVisible() for widget in told] == [True]
    for widget in told:
        widget.close()
        widget.deleteLater()


def test_that_ctrl_f1_lists_every_key_of_menus_and_views(window, qtbot):
    qtbot.keyClick(window, Qt.Key.Key_F1, Qt.KeyboardModifier.ControlModifier)
    page = window.findChild(ShortcutsPage)
    text = page.text.toPlainText()
    keyed = [action for action in window.findChildren(QAction) if not action.shortcut().isEmpty()]
    assert len(keyed) > 25
    for action in keyed:
        assert action.text().replace("&", "").rstrip("…") in text
        assert action.shortcut().toString() in text
    rows = [row for pane in window.ui.panes() for row in list(pane.keys())]
    assert len(rows) > 5
    assert all(told in text and key in text for told, key in rows)
    page.close()


def test_that_a_views_own_keys_do_what_is_told(opened, qtbot):
    view = opened.ui.weights
    told = " ".join(key for _, key in list(view.keys()))
    assert "+, -" in told
    assert "Home" in told
    view.setFocus()
    before = view.heatmap.box.viewRange()
    qtbot.keyClick(view, Qt.Key.Key_Plus)
    assert view.heatmap.box.viewRange() != before
    qtbot.keyClick(view, Qt.Key.Key_Home)
    assert view.heatmap.box.viewRange() == before


def test_that_every_action_of_a_menu_has_a_text_and_no_two_share_a_key(window):
    menus = window.menuBar().findChildren(QMenu)
    actions = [action for menu in menus for action in menu.actions() if not action.isSeparator()]
    assert all(action.text() for action in actions)
    keys = [key.toString() for action in set(window.findChildren(QAction)) for key in action.shortcuts()]
    assert len(keys) == len(set(keys))
    for menu in [*menus, window.menuBar()]:
        letters = re.findall(r"&(\w)", " ".join(action.text() for action in menu.actions()))
        assert len(letters) == len(set(map(str.lower, letters))), menu.title()
