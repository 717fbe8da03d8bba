"""Whether transcripts are fit to train on and to judge by: findings as values, and a page to read them."""
