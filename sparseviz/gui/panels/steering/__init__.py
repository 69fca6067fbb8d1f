"""The steering panel: settings as a form, what changed, what it will cost."""
