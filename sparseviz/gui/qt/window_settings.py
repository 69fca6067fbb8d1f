"""Persistent settings of the window, as QSettings."""

from PySide6.QtCore import QSettings

from sparseviz.config import paths


def window_settings() -> QSettings:
    """What the window keeps from one start to the next."""
    return QSettings(str(paths.settings_folder() / "window.ini"), QSettings.Format.IniFormat)
