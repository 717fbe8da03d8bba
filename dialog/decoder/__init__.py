"""The instruction decoder: a small trainable reader on top of a frozen language model (`docs/decoder.md`)."""
