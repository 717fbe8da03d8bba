"""Recommendation: a catalogue, what people took from it, and what this one says."""

from skills.recommend.skill import Asked, Recommend, Recommended

__all__ = ["Asked", "Recommend", "Recommended"]
