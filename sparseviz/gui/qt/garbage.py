"""Garbage collection, Python's, kept in Qt's thread."""

import gc

from PySide6.QtCore import QObject, QTimer, Slot

EVERY_MS = 500


class GarbageCollector(QObject):
    """Collects when Python would, but from a timer; lives as long as the program.

    WORKAROUND: Python collects in whichever thread happens to allocate. A closed dialog that is found there, while a
    run trains or is exported, would be destroyed outside Qt's thread, which ends in a deadlock between Qt's locks and
    Python's.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        gc.freeze()  # what the imports have made stays: a collection need not look at it again
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    @Slot()
    def _look(self) -> None:
        """Collect the oldest generation that is due."""
        pairs = enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True))
        due = [generation for generation, (count, threshold) in pairs if count > threshold]
        if due and due[0] == 0:
            gc.collect(due[-1])

    def stop(self) -> None:
        """Leave it to Python again, with nothing left to collect.

        Python would find it at its next allocation, maybe in the destructor of a Qt object, which holds a lock that
        the destructors of what is collected wait for.
        """
        self._timer.stop()
        gc.collect()
        gc.unfreeze()
        gc.enable()
