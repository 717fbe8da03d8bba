"""Ways of tuning, one file each."""
