"""What the label can be argued with: attribution, distance to other labels, other parameters, other figures."""
