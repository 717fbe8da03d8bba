"""Flow files made of what others have declared: `star` reads STAR's task graphs."""
