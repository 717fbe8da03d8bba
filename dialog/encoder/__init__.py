"""A text encoder that labels: multilingual-e5-small with its upper layers and a head trained on labels."""
