"""Personal data in transcripts: found by rules with checksums, replaced, and reported for review."""
