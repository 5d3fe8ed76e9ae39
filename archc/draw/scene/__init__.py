"""From a Graph to a scene: what stands in the picture, before anything has a place."""
