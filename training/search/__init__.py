"""Searching settings: trials, judged by what was held out."""
