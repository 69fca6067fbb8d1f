"""A view's picture or values as a file: rendered in memory, written beside, then renamed."""

import csv
import io
import math
from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QPoint, QRect
from PySide6.QtGui import QImage, QPaintDevice, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QGraphicsView, QWidget

from sparseviz.config import InputError
from sparseviz.config.whole_file import whole_file
from sparseviz.gui.qt.focus_guide import FocusFrame
from sparseviz.gui.views.base import Pane, Table

Forms = Mapping[str, Callable[[], bytes]]  # by the suffix of the name
SCALES = (1, 2, 4)  # pixels of a PNG for each on the screen


class ViewFileError(InputError):
    """A picture or a table could not be saved."""


def picture(widget: QWidget, scale: int = 1) -> QImage:
    """A picture of so many pixels for each on the screen."""
    image = QImage(widget.size() * scale, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    _paint(widget, image)
    return image


def png(widget: QWidget, scale: int) -> bytes:
    """The picture as a file."""
    image = picture(widget, scale)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # PySide6's stubs want the format as bytes; it wants text
    return bytes(buffer.data().data())


def svg(widget: QWidget, title: str) -> bytes:
    """A picture of lines and of text that stays text; only heatmaps are pixels."""
    buffer = QBuffer()
    generator = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)  # the older version does not clip
    generator.setOutputDevice(buffer)
    generator.setSize(widget.size())
    generator.setViewBox(QRect(0, 0, widget.width(), widget.height()))
    generator.setTitle(title)
    generator.setResolution(widget.logicalDpiX())
    _paint(widget, generator)
    return bytes(buffer.data().data())


def _paint(widget: QWidget, device: QPaintDevice) -> None:
    """Paint the widget without the frame that tells where the keys go, and grounds as colours, not as pixels."""
    frames = [frame for frame in widget.findChildren(FocusFrame) if frame.isVisible()]
    for canvas in widget.findChildren(QGraphicsView):
        canvas.setCacheMode(QGraphicsView.CacheModeFlag.CacheNone)
    for frame in frames:
        frame.hide()
    painter = QPainter(device)
    painter.fillRect(widget.rect(), widget.palette().window())
    widget.render(painter, QPoint())
    painter.end()
    for frame in frames:
        frame.show()


def comma_separated(table: Table) -> bytes:
    """UTF-8; numbers with all their digits, and nothing where there is none."""
    text = io.StringIO()
    rows = [["" if isinstance(value, float) and math.isnan(value) else value for value in row] for row in table]
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def save_view(pane: Pane, path: Path, scale: int = 1) -> None:
    """Save what a view shows, in the form that the suffix names. Raises ViewFileError."""
    forms: Forms = {
        ".png": lambda: png(pane, scale),
        ".svg": lambda: svg(pane, pane.title()),
        ".csv": lambda: comma_separated(pane.table()),
    }
    if pane.is_empty():
        raise ViewFileError(pane.tr("“{0}” is still empty: train, or open a run, then save it.").format(pane.title()))
    write(path, _form(path, forms))


def save_picture(widget: QWidget, path: Path) -> None:
    """Save a PNG of a widget as it is on the screen. Raises ViewFileError."""
    write(path, _form(path, {".png": lambda: png(widget, 1)}))


def _form(path: Path, forms: Forms) -> Callable[[], bytes]:
    if path.suffix.lower() not in forms:
        raise ViewFileError(f"{path.name}: the name must end in {' or '.join(forms)}, which says what is saved")
    return forms[path.suffix.lower()]


def write(path: Path, form: Callable[[], bytes]) -> None:
    """Write a file whole or not at all. Raises ViewFileError."""
    content = form()
    try:
        with whole_file(path) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise cannot_write(path, error) from None


def cannot_write(path: Path, error: OSError) -> ViewFileError:
    """The ViewFileError that tells of it in words."""
    return ViewFileError(f"{path} cannot be written ({error.strerror}); choose another folder or name")
