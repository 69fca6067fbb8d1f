"""The list of runs in a folder, with thumbnails, tags and notes."""
