"""What is Qt's alone: colours, focus, messages between threads, redraws."""
