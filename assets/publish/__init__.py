"""The last room: build the release beside, judge it, swap it in."""
