"""What customers want, from logs: opening turns grouped, named, and proposed as intents."""
