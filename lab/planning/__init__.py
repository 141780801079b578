"""A graph and a state become a plan; pure but for the files that it is given to look at."""
