"""What a trained network is asked: its answers, what its units see, and what a model file holds."""
