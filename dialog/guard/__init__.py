"""Rules outside the model: control tokens, terminal escapes."""
