"""Texts to predictions: `load_annotator("accurate").predict(["..."])`. Pure: no database; no network after loading."""

from __future__ import annotations

from models.annotator import ANNOTATORS, Annotator, Prediction, Reading, load_annotator

__all__ = ["ANNOTATORS", "Annotator", "Prediction", "Reading", "load_annotator"]
