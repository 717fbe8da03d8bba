"""Labellers: the text encoder trained on labelled texts (`instructrec tune-labels`)."""
