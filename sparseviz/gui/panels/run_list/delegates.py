"""Item delegates of the run list: the strip of a run's gates, and its tags."""

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QImage, QPainter
from PySide6.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from sparseviz.gui.panels.run_list.model import RUN_ROLE, TAGS_ROLE
from sparseviz.gui.panels.run_list.thumbnails import HEIGHT, WIDTH, Thumbnails
from sparseviz.gui.qt.item_model import Index
from sparseviz.gui.qt.theme import Theme, count_colours, small

_MARGIN, _GAP = 4, 3  # pixels


class _DrawnCell(QStyledItemDelegate):
    """A cell with the ground of all others, on which something is drawn instead of text."""

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        ground = QStyleOptionViewItem(option)
        self.initStyleOption(ground, index)
        ground.text = ""
        widget = ground.widget
        style = widget.style() if isinstance(widget, QWidget) else QApplication.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, ground, painter, widget)


class StripCell(_DrawnCell):
    """Draws a run's thumbnail, or wishes for it."""

    def __init__(self, thumbnails: Thumbnails, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self.restyle(theme)

    def restyle(self, theme: Theme) -> None:
        """Take on the theme's colours."""
        self._edge = theme.grid
        self._colours = [0xFF << 24 | int(r) << 16 | int(g) << 8 | int(b) for r, g, b in count_colours(theme)]

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Room for the picture and its edge."""
        return QSize(WIDTH + 2 * _MARGIN, max(HEIGHT + 6, super().sizeHint(option, index).height()))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw the picture, as high as the row, once it is there."""
        self._paint_ground(painter, option, index)
        run = index.data(RUN_ROLE)
        made = self._thumbnails.known(run)
        if made is None:
            self._thumbnails.wish(run)
            return
        image = QImage(made.levels.data, WIDTH, HEIGHT, WIDTH, QImage.Format.Format_Indexed8)
        image.setColorTable(self._colours)
        area = QRect(option.rect.left() + _MARGIN, option.rect.top() + 2, WIDTH, option.rect.height() - 4)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(area, image)
        painter.setPen(self._edge)
        painter.drawRect(area.adjusted(-1, -1, 0, 0))
        painter.restore()


class TagsCell(_DrawnCell):
    """Draws each tag as a chip; edited, they are words with blanks between."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.restyle(theme)

    def restyle(self, theme: Theme) -> None:
        """Take on the theme's colours."""
        self._ground, self._text = theme.grid, theme.text

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Room for all chips."""
        metrics = QFontMetrics(small(option.font))
        wide = sum(metrics.horizontalAdvance(tag) + 2 * _MARGIN + _GAP for tag in index.data(TAGS_ROLE))
        return QSize(wide + 2 * _MARGIN, super().sizeHint(option, index).height())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw the chips from the left; the last that has some room is cut."""
        self._paint_ground(painter, option, index)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(small(option.font))
        metrics, left, end = QFontMetrics(painter.font()), option.rect.left() + _MARGIN, option.rect.right() - _MARGIN
        height = min(metrics.height() + 2, option.rect.height() - 2)
        top = option.rect.center().y() - height // 2
        for tag in index.data(TAGS_ROLE):
            if end - left < 4 * _MARGIN:
                break
            text = metrics.elidedText(tag, Qt.TextElideMode.ElideRight, end - left - 2 * _MARGIN)
            chip = QRect(left, top, metrics.horizontalAdvance(text) + 2 * _MARGIN, height)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._ground)
            painter.drawRoundedRect(chip, height / 2, height / 2)
            painter.setPen(self._text)
            painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, text)
            left = chip.right() + _GAP
        painter.restore()
