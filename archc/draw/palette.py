"""The colours of a diagram: by kind, light and dark. Never colour alone: every box has its name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Colours:
    fill: str
    stroke: str


KINDS = ("conv", "linear", "norm", "activation", "attention", "resampling", "other")

LIGHT = {
    "conv": Colours("#dbeafe", "#2563eb"),
    "linear": Colours("#e0e7ff", "#4f46e5"),
    "norm": Colours("#dcfce7", "#16a34a"),
    "activation": Colours("#fef3c7", "#d97706"),
    "attention": Colours("#fae8ff", "#a21caf"),
    "resampling": Colours("#ffedd5", "#ea580c"),
    "other": Colours("#f8fafc", "#94a3b8"),
    "input": Colours("#eef2f7", "#64748b"),
    "output": Colours("#eef2f7", "#64748b"),
    "circle": Colours("#ffffff", "#334155"),
    "frame": Colours("#f8fafc", "#94a3b8"),
    "deep": Colours("#eef2f7", "#94a3b8"),
    "badge": Colours("#0f172a", "#0f172a"),
}
DARK = {
    "conv": Colours("#172a4d", "#60a5fa"),
    "linear": Colours("#252350", "#818cf8"),
    "norm": Colours("#12331f", "#4ade80"),
    "activation": Colours("#3a2a0b", "#fbbf24"),
    "attention": Colours("#3a1442", "#e879f9"),
    "resampling": Colours("#3d1f0d", "#fb923c"),
    "other": Colours("#1c2636", "#64748b"),
    "input": Colours("#243044", "#94a3b8"),
    "output": Colours("#243044", "#94a3b8"),
    "circle": Colours("#0d1420", "#cbd5e1"),
    "frame": Colours("#131c2b", "#475569"),
    "deep": Colours("#1a2436", "#475569"),
    "badge": Colours("#e2e8f0", "#e2e8f0"),
}


@dataclass(frozen=True, slots=True)
class Inks:
    page: str
    text: str
    small: str
    badge: str
    data: str
    residual: str
    optional: str


LIGHT_INKS = Inks("#ffffff", "#0f172a", "#475569", "#ffffff", "#334155", "#7c3aed", "#64748b")
DARK_INKS = Inks("#0d1420", "#e5eaf2", "#a3b1c6", "#0f172a", "#b6c2d4", "#a78bfa", "#94a3b8")

DASHES = {"data": "", "residual": "6 4", "optional": "2 3"}
EDGE_NAMES = {"data": "data", "residual": "residual", "optional": "optional"}
KIND_NAMES = {
    "conv": "conv",
    "linear": "linear",
    "norm": "norm",
    "activation": "activation",
    "attention": "attention",
    "resampling": "resampling",
    "other": "other",
}
