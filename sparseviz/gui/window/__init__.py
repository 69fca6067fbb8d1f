"""The main window's parts: layout, actions, bars."""
