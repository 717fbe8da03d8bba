"""What the skills are worth, one module each: `python -m benchmarks.skills.NAME`."""
