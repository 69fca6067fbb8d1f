"""What a snapshot says of each layer, reduced where the network is trained."""
