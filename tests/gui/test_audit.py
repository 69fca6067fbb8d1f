"""What holds for every control: names for those who do not see, contrast for those who hardly do, translation."""

import ast
from html import escape
from itertools import product
from pathlib import Path

import pytest
from pyqtgraph import GraphicsView
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QColor, QPalette
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QApplication, QComboBox, QLineEdit, QScrollBar, QWidget

import sparseviz.gui
from sparseviz.gui.qt import appearance
from sparseviz.gui.qt.theme import theme_of
from sparseviz.gui.views import VIEWS
from sparseviz.gui.views.base import Pane
from tests.helpers.gui.pixels import READABLE, contrast

CONTROLS = (QAbstractButton, QAbstractSlider, QComboBox, QLineEdit, GraphicsView, Pane)
FAINT = 3.0  # to 1, of what is disabled: WCAG asks for none
SOURCES = sorted(Path(sparseviz.gui.__file__).parent.rglob("*.py"))
_Role, _Group = QPalette.ColorRole, QPalette.ColorGroup


def test_that_every_control_plot_and_view_has_a_name_for_those_who_hear_it(opened):
    opened.ui.steering.more.setChecked(True)
    asked = [
        widget
        for widget in opened.findChildren(QWidget)
        if (isinstance(widget, CONTROLS) or widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
        and not isinstance(widget, QScrollBar)
        and not widget.objectName().startswith("qt_")  # Qt's own, which it shows itself and only where they are needed
        and widget.focusProxy() is None
        and widget.window() is opened  # the list of a closed choice is in a window of its own
    ]
    assert len(asked) > 80
    assert [widget for widget in asked if not name_of(widget)] == []


def name_of(widget):
    """What assistive technology says of a widget."""
    return QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name).strip()


def test_that_every_setting_is_explained_and_those_that_are_the_method_teach(window):
    fields = window.ui.steering.fields
    for name, field in fields.items():
        for editor in field._editors:
            assert escape(field.setting.description) in editor.toolTip()
            assert editor.accessibleName() != name
            assert editor.whatsThis()
    for name in ("penalty.lambda1", "penalty.lambda2", "gate.start", "optimizer.gate_rate", "schedule.decide_from"):
        assert len(fields[name].whatsThis() or fields[name]._editors[0].whatsThis()) > 200


@pytest.mark.parametrize("name", VIEWS)
def test_that_every_view_invites_and_teaches(shown, name):
    view = shown(VIEWS[name])
    assert len(view.invitation()) > 20
    assert len(view.lesson()) > 80


@pytest.fixture(params=[True, False], ids=["dark", "light"])
def palette(request, qapp):
    before = QApplication.palette()
    appearance.apply(qapp, dark=request.param)
    yield QApplication.palette()
    qapp.setPalette(before)


def test_that_black_on_white_is_21_to_1():
    assert contrast(QColor("black"), QColor("white")) == pytest.approx(21)
    assert contrast(QColor("#777777"), QColor("white")) == pytest.approx(4.48, abs=0.01)


def test_that_text_can_be_read_on_its_background_in_both_themes(palette):
    pairs = {
        (_Role.WindowText, _Role.Window),
        (_Role.Text, _Role.Base),
        (_Role.Text, _Role.AlternateBase),
        (_Role.ButtonText, _Role.Button),
        (_Role.ButtonText, _Role.Window),
        (_Role.ToolTipText, _Role.ToolTipBase),
        (_Role.PlaceholderText, _Role.Base),
        (_Role.HighlightedText, _Role.Highlight),
        (_Role.Link, _Role.Base),
        (_Role.Link, _Role.Window),
    }
    assert {
        (text.name, ground.name): ratio
        for text, ground in pairs
        if (ratio := contrast(palette.color(text), palette.color(ground))) < READABLE
    } == {}
    faint = [palette.color(_Group.Disabled, role) for role in (_Role.WindowText, _Role.Text, _Role.ButtonText)]
    assert all(contrast(text, palette.color(_Role.Window)) >= FAINT for text in faint)


def test_that_the_plots_words_can_be_read_on_every_ground_they_are_written_on(palette):
    theme = theme_of(palette)
    words = (theme.text, theme.muted, theme.accent, theme.warning, theme.third)
    grounds = (theme.background, palette.color(_Role.Window))
    assert [
        (word.name(), ground.name()) for word, ground in product(words, grounds) if contrast(word, ground) < READABLE
    ] == []


SHOWING = {"setText", "setToolTip", "setWindowTitle", "setAccessibleName", "setAccessibleDescription", "setWhatsThis"}
SHOWING |= {"addAction", "addMenu", "addItem", "setPlaceholderText", "setTitle", "showMessage", "setLabel"}
BARE = {"sparseviz", "?", "…", "left", "bottom", "right", "top"}  # signs and names, the same in every language


@pytest.mark.parametrize("path", SOURCES, ids=[path.stem for path in SOURCES])
def test_that_no_text_is_shown_that_cannot_be_translated(path):
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    shown = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in SHOWING]
    texts = [
        argument.value
        for call in shown
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]
    assert [text for text in texts if text and text not in BARE] == []
