"""Palettes, dark and light: the system's choice, unless the person makes one."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

_Role = QPalette.ColorRole
_DARK = {
    _Role.Window: "#1e2227",
    _Role.WindowText: "#e6e8eb",
    _Role.Base: "#16181c",
    _Role.AlternateBase: "#1b1e23",
    _Role.Text: "#e6e8eb",
    _Role.PlaceholderText: "#9aa0a8",
    _Role.Button: "#2a2f36",
    _Role.ButtonText: "#e6e8eb",
    _Role.ToolTipBase: "#2a2f36",
    _Role.ToolTipText: "#e6e8eb",
    _Role.Highlight: "#2673c8",
    _Role.HighlightedText: "#ffffff",
    _Role.Link: "#58aeff",
    _Role.BrightText: "#ffffff",
    _Role.Light: "#3a4049",
    _Role.Midlight: "#333942",
    _Role.Mid: "#2a2f36",
    _Role.Dark: "#121418",
    _Role.Shadow: "#000000",
}
_LIGHT = {
    _Role.Window: "#f3f4f6",
    _Role.WindowText: "#16181c",
    _Role.Base: "#ffffff",
    _Role.AlternateBase: "#f0f2f4",
    _Role.Text: "#16181c",
    _Role.PlaceholderText: "#6b7280",
    _Role.Button: "#fbfbfc",
    _Role.ButtonText: "#16181c",
    _Role.ToolTipBase: "#ffffff",
    _Role.ToolTipText: "#16181c",
    _Role.Highlight: "#1a68c7",
    _Role.HighlightedText: "#ffffff",
    _Role.Link: "#1a68c7",
    _Role.BrightText: "#ffffff",
    _Role.Light: "#ffffff",
    _Role.Midlight: "#e6e8eb",
    _Role.Mid: "#c3c8cf",
    _Role.Dark: "#9aa0a8",
    _Role.Shadow: "#6b7280",
}


def follow_system(app: QApplication) -> None:
    """Use the Fusion style, and change colours whenever the system does."""
    app.setStyle("Fusion")
    hints = app.styleHints()
    apply(app, dark=hints.colorScheme() == Qt.ColorScheme.Dark)
    hints.colorSchemeChanged.connect(lambda scheme: apply(app, dark=scheme == Qt.ColorScheme.Dark))


def apply(app: QApplication, *, dark: bool) -> None:
    """Give every window the dark or the light palette."""
    palette = QPalette()
    for role, colour in (_DARK if dark else _LIGHT).items():
        palette.setColor(role, QColor(colour))
    for role in (_Role.WindowText, _Role.Text, _Role.ButtonText, _Role.PlaceholderText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor("#767c85" if dark else "#7f858e"))
    palette.setColor(QPalette.ColorGroup.Disabled, _Role.Highlight, QColor("#3a4049" if dark else "#c3c8cf"))
    app.setPalette(palette)
