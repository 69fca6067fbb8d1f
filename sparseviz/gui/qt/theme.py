"""Colours of the plots, dark or light as the window is, safe for colour-blind eyes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QWidget

Colours = npt.NDArray[np.uint8]  # (256, 3), red, green, blue
NONE_KEPT = 128  # the level of a preview's first plane that stands for "none kept"
_SIDES = ("left", "bottom", "right", "top")


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of one palette."""

    dark: bool
    background: QColor  # of plots
    text: QColor
    muted: QColor  # text of less weight; still 4.5:1 on the background
    grid: QColor
    accent: QColor  # what is kept
    pale: QColor  # what is cut, next to the accent
    warning: QColor  # thresholds
    third: QColor  # a curve beside those of accent and warning


def theme_of(palette: QPalette) -> Theme:
    """The theme that fits a widget's palette; the window colour's lightness decides."""
    dark = palette.color(QPalette.ColorRole.Window).lightness() < 128
    background, text = palette.color(QPalette.ColorRole.Base), palette.color(QPalette.ColorRole.Text)
    return Theme(
        dark=dark,
        background=background,
        text=text,
        muted=mix(text, background, 0.3),
        grid=mix(text, background, 0.8),
        accent=QColor("#58aeff" if dark else "#1a68c7"),
        pale=mix(text, background, 0.62),
        warning=QColor("#ffb454" if dark else "#ad5600"),
        third=QColor("#e29be0" if dark else "#8f2d8f"),
    )


def mix(first: QColor, second: QColor, share: float) -> QColor:
    """A colour between two: `share` of the second."""
    parts = zip(_rgb(first), _rgb(second), strict=True)
    return QColor(*(round(one + (other - one) * share) for one, other in parts))


def count_colours(theme: Theme) -> Colours:
    """For counts and shares: 0 is the background, then from faint to strong."""
    colours = _named("inferno", 0.18, 1) if theme.dark else _named("inferno", 0.88, 0.08)
    colours[0] = _rgb(theme.background)
    return colours


def magnitude_colours(theme: Theme) -> Colours:
    """For a signed level, by its distance from NONE_KEPT; even the smallest stands out from the background."""
    strength = _named("viridis", 0.32, 1) if theme.dark else _named("viridis", 0.72, 0)
    colours: Colours = strength[np.minimum(np.abs(np.arange(256) - NONE_KEPT) * 2, 255)]
    colours[NONE_KEPT] = _rgb(theme.background)
    return colours


# Parts of ColorBrewer's sequential sets Blues and Oranges, from weak to strong on a dark and on a light ground.
_NEGATIVE = {
    True: ((66, 146, 198), (107, 174, 214), (158, 202, 225), (198, 219, 239)),
    False: ((107, 174, 214), (66, 146, 198), (33, 113, 181), (8, 48, 107)),
}
_POSITIVE = {
    True: ((217, 72, 1), (241, 105, 19), (253, 141, 60), (253, 208, 162)),
    False: ((253, 141, 60), (241, 105, 19), (217, 72, 1), (127, 39, 4)),
}


def sign_colours(theme: Theme) -> Colours:
    """For a signed level: blue is negative, orange is positive, both grow stronger away from NONE_KEPT."""
    below, above = (_between(stops[theme.dark]) for stops in (_NEGATIVE, _POSITIVE))
    colours = np.concatenate([below[::-1], above])
    colours[NONE_KEPT] = _rgb(theme.background)
    return colours


def style_plot(plot: Any, theme: Theme, font: QFont) -> None:
    """Give a PlotItem the theme's axes, and hide the button that a view does not need."""
    plot.hideButtons()
    for side in _SIDES:
        axis = plot.getAxis(side)
        # It writes the label anew at every change of range, though hidden; enableAutoSIPrefix(False) scales once more.
        axis.autoSIPrefix, axis.autoSIPrefixScale = False, 1.0
        axis.setPen(pg.mkPen(theme.muted))
        axis.setTextPen(pg.mkPen(theme.muted))
        axis.setTickFont(font)
        axis.label.setFont(font)


def style_canvas(canvas: Any, theme: Theme) -> None:
    """Give a GraphicsLayoutWidget the theme's background; files that are dropped on it are the window's."""
    canvas.setBackground(theme.background)
    canvas.setAcceptDrops(False)


def mute(widget: QWidget, theme: Theme) -> None:
    """Write a widget's text in the muted colour."""
    palette = widget.palette()
    palette.setColor(QPalette.ColorRole.WindowText, theme.muted)
    widget.setPalette(palette)


def small(font: QFont) -> QFont:
    """The font of axes and marks: a little smaller than the window's."""
    smaller = QFont(font)
    smaller.setPointSizeF(max(font.pointSizeF() - 1, 6.5))
    return smaller


def _named(name: str, start: float, stop: float) -> Colours:
    colours: Colours = pg.colormap.get(name).map(np.linspace(start, stop, 256), mode="byte")[:, :3].copy()
    return colours


def _between(stops: tuple[tuple[int, int, int], ...]) -> Colours:
    places = np.linspace(0, len(stops) - 1, 128)
    parts = [np.interp(places, range(len(stops)), part) for part in zip(*stops, strict=True)]
    return np.asarray(np.stack(parts, axis=1).round(), dtype=np.uint8)


def _rgb(colour: QColor) -> tuple[int, int, int]:
    return colour.red(), colour.green(), colour.blue()
