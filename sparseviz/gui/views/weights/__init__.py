"""The weights view: a layer's matrix as a heatmap."""
