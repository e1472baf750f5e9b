"""Publishers on this machine that speak the real protocols, with the real limits and scripted faults."""
