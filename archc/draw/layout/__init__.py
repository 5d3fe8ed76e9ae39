"""From a scene to places: rows, columns, ways and ports of each frame."""
