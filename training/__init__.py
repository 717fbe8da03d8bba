"""Tuning a model on transcripts."""
