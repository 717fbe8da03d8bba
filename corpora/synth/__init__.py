"""Conversations made from documents, marked as made, with what each came from."""
