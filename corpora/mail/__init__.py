"""E-mails as conversations: their threads, what each adds, and who wrote it."""
