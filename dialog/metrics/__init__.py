"""Metrics of replies, one a file; each is a tally that adds up, so that conversations can be resampled.

See `dialog.metrics.metric` for the seam.
"""
