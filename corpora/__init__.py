"""Reading, checking and writing transcripts."""
