"""What Qt hands to the methods of an item model, each written here alone."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex

Index = QModelIndex | QPersistentModelIndex
NOWHERE = QModelIndex()  # the parent of what lies at the top
