"""What a person does with the mouse."""

from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

LEFT, PLAIN = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def drop(target, paths):
    """Drag files over a widget and let them fall, as Qt would: on the first widget below that takes drops."""
    data = QMimeData()
    data.setUrls([path if isinstance(path, QUrl) else QUrl.fromLocalFile(str(path)) for path in paths])
    while not target.acceptDrops():
        target = target.parentWidget()
    place, buttons = target.rect().center(), (LEFT, PLAIN)
    enters = QDragEnterEvent(place, Qt.DropAction.CopyAction, data, *buttons)
    enters.ignore()
    QApplication.sendEvent(target, enters)
    if enters.isAccepted():
        QApplication.sendEvent(target, QDropEvent(QPointF(place), Qt.DropAction.CopyAction, data, *buttons))
    return enters.isAccepted()


def at(pad, x, y):
    """A point of the paper, from 0 to 1, in pixels of the widget."""
    paper = pad.square()
    return (paper.topLeft() + QPointF(paper.width() * x, paper.height() * y)).toPoint()


def stroke(pad, *points):
    """Draw from point to point."""
    QTest.mousePress(pad, LEFT, PLAIN, at(pad, *points[0]))
    for point in points[1:]:
        QTest.mouseMove(pad, at(pad, *point))
        QApplication.processEvents()
    QTest.mouseRelease(pad, LEFT, PLAIN, at(pad, *points[-1]))
