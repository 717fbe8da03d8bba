"""Questions and answers, from logs: gathered, grouped, weighed, and proposed as FAQ entries."""
