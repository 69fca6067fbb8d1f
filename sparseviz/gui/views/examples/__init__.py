"""The examples view: images, and what the network answers."""
