"""The manual in the program: a window with its pages, search and links; it never reaches the network itself."""
