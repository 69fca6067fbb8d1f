"""What the window does when it is asked: each answers for one kind of action."""
