"""Graphs as pictures: a scene of boxes and edges, their places, and the formats that they are written in."""
