"""What the views' plots share: axes, lines, legends, labels."""
